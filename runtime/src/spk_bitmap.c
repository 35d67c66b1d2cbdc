/* SPDX-License-Identifier: Apache-2.0 */
/* bitmap: one bit for each element, most significant first, and the non-zeros: bytes, or fields of fewer bits. These
 * are unpacked to the end of the destination, patched there, and expand from there: what is not yet read of them lies
 * after what is written. docs/format.md, section 8.
 */
#include "spk_bitmap.h"

#ifndef SPK_WITHOUT_BITMAP

SPK_NOINLINE static bool open_streams(const spk_tile *tile, spk_bitmap_streams *s) {
  spk_walk reader = {tile, 0};
  const uint8_t *header = spk_take(&reader, 4);
  if (!header) return false;
  s->width = header[0];
  const uint32_t first_positive = header[1], first_negative = header[2], flags = header[3];
  const uint32_t half = (1u << (s->width & 15u)) / 2u;
  s->patch_bits = flags & 7u;
  bool has_bitmap = true;
  if (s->width == 8u) {
    if ((first_positive | first_negative | flags) != 0) return false;
  } else {
    const uint8_t *counts = spk_take(&reader, s->patch_bits != 0 ? 8 : 4);
    if (!counts || s->width - 1u > 6u) return false;
    s->n = spk_load_u32(counts);
    s->n_patches = s->patch_bits != 0 ? spk_load_u32(counts + 4) : 0;
    has_bitmap = (flags & 8u) == 0;
    if (flags > 15u || s->n > tile->n || (!has_bitmap && s->n != tile->n)) return false;
    /* Values of either sign stay within it. */
    if (first_positive + half > 128u || first_negative + half > 129u || first_negative == 0) return false;
    s->start = first_positive;
    s->jump = 257u - 2u * half - first_positive - first_negative;
  }
  s->bitmap = NULL;
  if (has_bitmap) {
    s->bitmap = spk_take(&reader, spk_ceil_div(tile->n, 8));
    if (!s->bitmap || (s->width != 8u && !spk_bitmap_ends(s->bitmap, tile->n))) return false;
  }
  s->planes = tile->data + reader.pos;
  if (s->width != 8u) {
    for (uint32_t bits = 4; bits != 0; bits /= 2u) {
      if ((s->width & bits) != 0 && !spk_take(&reader, spk_ceil_div(s->n, 8u / bits))) return false;
    }
  }
  s->rest = tile->data + reader.pos;
  s->rest_size = spk_left(&reader);
  return s->width == 8u || s->n_patches <= s->rest_size;
}

/* Moves values away from 0 that lie further from it than their bits can say. */
static bool patch(int8_t *values, const spk_bitmap_streams *s) {
  const uint8_t *next = s->rest;
  const uint32_t bits = s->patch_bits, shift = s->width - 1u, mask = (1u << bits) - 1u;
  uint32_t room = s->n; /* values from the one that was patched last on */
  SPK_NO_UNROLL
  for (uint32_t left = s->n_patches; left; left--) {
    const uint32_t byte = *next++, distance = byte >> bits;
    if (distance >= room) return false;
    room -= distance;
    values += distance;
    const int32_t value = *values, negative = -(int32_t)(value < 0);
    const int32_t more = (int32_t)((byte & mask) << shift);
    *values = (int8_t)(uint8_t)(value + (more ^ negative) - negative);
  }
  return true;
}

spk_status spk_bitmap_decode(const spk_tile *tile, int8_t *dst) {
  spk_bitmap_streams s;
  if (!open_streams(tile, &s)) return SPK_ERROR_STREAM;
  if (s.width == 8u) {
    const int8_t *const bytes = (const int8_t *)s.rest;
    return spk_expand_bitmap(dst, tile->n, s.bitmap, bytes, s.rest_size) ? SPK_OK : SPK_ERROR_STREAM;
  }
  int8_t *const values = dst + (tile->n - s.n);
  spk_bitmap_unpack((uint8_t *)values, &s);
  if (!patch(values, &s)) return SPK_ERROR_STREAM;
  if (!s.bitmap) return SPK_OK;
  return spk_expand_bitmap(dst, tile->n, s.bitmap, values, s.n) == dst + tile->n ? SPK_OK : SPK_ERROR_STREAM;
}

spk_status spk_bitmap_validate(const spk_tile *tile) {
  spk_bitmap_streams s;
  if (!open_streams(tile, &s)) return SPK_ERROR_STREAM;
  uint32_t n = s.n;
  if (s.bitmap) {
    if (!spk_bitmap_ends(s.bitmap, tile->n)) return SPK_ERROR_STREAM;
    n = spk_bitmap_count(s.bitmap, spk_ceil_div(tile->n, 8));
  }
  if (s.width == 8u) return spk_ends(n, s.rest_size) ? SPK_OK : SPK_ERROR_STREAM;
  uint32_t position = 0;
  for (uint32_t i = 0; i < s.n_patches; i++) {
    position += (uint32_t)s.rest[i] >> s.patch_bits;
    if (position >= n) return SPK_ERROR_STREAM;
  }
  return n == s.n && spk_ends(s.n_patches, s.rest_size) ? SPK_OK : SPK_ERROR_STREAM;
}

#if !SPK_HELIUM && !SPK_RVV

/* A last group, of fewer than 128 / bits values. */
SPK_NOINLINE static void unpack_last(uint8_t *values, uint32_t n, const uint8_t *fields, uint32_t bits, bool is_first,
                                     const spk_bitmap_plane *plane) {
  const uint32_t n_bytes = spk_ceil_div(n, 8u / bits), mask = (1u << bits) - 1u;
  SPK_NO_UNROLL
  for (uint32_t i = 0, byte = 0, shift = 0; i < n; i++, byte++) {
    if (byte == n_bytes) {
      byte = 0;
      shift += bits;
    }
    const uint32_t field = (uint32_t)fields[byte] >> shift & mask, before = is_first ? plane->start : values[i];
    values[i] = (uint8_t)(before + field * plane->scale + (field >> (bits - 1u)) * plane->jump);
  }
}

/* The fields of four bytes, row by row: no byte of a sum carries into the next. */
SPK_INLINE void unpack_word(uint8_t *values, uint32_t word, uint32_t bits, bool is_first,
                            const spk_bitmap_plane *plane) {
  const uint32_t ones = 0x01010101u, mask = ((1u << bits) - 1u) * ones, start = plane->start * ones;
  const uint32_t scale = is_first ? 1 : plane->scale, jump = plane->jump;
  SPK_UNROLL(8)
  for (uint32_t row = 0; row < 8u / bits; row++, values += 16) {
    const uint32_t field = word >> bits * row & mask, before = is_first ? start : spk_load_u32(values);
    if (bits == 1u) {
      spk_store_u32(values, before + field * (scale + jump));
    } else {
      const uint32_t upper = word >> (bits * (row + 1u) - 1u) & ones;
      spk_store_u32(values, before + field * scale + upper * jump);
    }
  }
}

SPK_INLINE void unpack(uint8_t *values, uint32_t n, const uint8_t *fields, uint32_t bits, bool is_first,
                       const spk_bitmap_plane *plane) {
  const uint32_t in_group = 128u / bits;
  SPK_NO_UNROLL
  for (uint32_t groups = n / in_group; groups; groups--, values += in_group - 16u) {
    if (bits == 4u) {
      unpack_word(values, spk_load_u32(fields), bits, is_first, plane);
      unpack_word(values + 4, spk_load_u32(fields + 4), bits, is_first, plane);
      unpack_word(values + 8, spk_load_u32(fields + 8), bits, is_first, plane);
      unpack_word(values + 12, spk_load_u32(fields + 12), bits, is_first, plane);
      fields += 16;
      values += 16;
      continue;
    }
    SPK_NO_UNROLL
    for (uint32_t i = 4; i; i--) {
      unpack_word(values, spk_load_u32(fields), bits, is_first, plane);
      fields += 4;
      values += 4;
    }
  }
  unpack_last(values, n % in_group, fields, bits, is_first, plane);
}

SPK_BITMAP_UNPACK_WITH(unpack)

#endif

#endif
