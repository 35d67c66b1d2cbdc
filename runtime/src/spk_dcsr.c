/* dcsr: delta-linear encoding with dynamic bitwidths, in groups of 16 lanes. docs/format.md, section 6.
 *
 * Base pointers are kept modulo 2^32: they may lie before the array, and a hostile one then fails the one comparison
 * with n that every position passes through.
 */
#include "spk_internal.h"

enum { LANES = SPK_DCSR_LANES, LONG_BASE = 0x80 };

/* The streams of a tile; extensions is consumed while walking. */
typedef struct streams {
  uint32_t k, slope;
  const uint8_t *values, *deltas, *bitmaps, *bases, *extensions, *end;
} streams;

static bool open_streams(const spk_tile *tile, streams *s) {
  spk_reader reader = {tile, 0};
  const uint8_t *header = spk_take(&reader, 8);
  if (!header) return false;
  s->k = spk_load_u32(header);
  s->slope = header[4];
  const uint32_t n_groups = spk_ceil_div(s->k, LANES);
  s->values = spk_take(&reader, s->k);
  if (!s->values) return false; /* k is now known to be small enough for the sums below */
  s->deltas = spk_take(&reader, spk_ceil_div(n_groups, 2) * LANES);
  if (!s->deltas) return false;
  s->bitmaps = spk_take(&reader, spk_ceil_div(n_groups, 2));
  if (!s->bitmaps) return false;
  s->bases = spk_take(&reader, n_groups);
  if (!s->bases) return false;
  s->extensions = tile->data + reader.pos;
  s->end = tile->data + tile->size;
  return s->slope <= SPK_MAX_SLOPE;
}

SPK_INLINE spk_status walk(const spk_tile *tile, int8_t *dst, bool write) {
  streams s;
  if (!open_streams(tile, &s)) return SPK_ERROR_STREAM;
  uint32_t base = 0;
  for (uint32_t j = 0; j < spk_ceil_div(s.k, LANES); j++) {
    const uint32_t lanes = spk_min_u32(LANES, s.k - LANES * j);
    const uint32_t shift = j % 2u == 0 ? 4u : 0u;
    const uint32_t bitmap = s.bitmaps[j / 2u] >> shift & 15u;
    const uint8_t *deltas = s.deltas + LANES * (j / 2u);
    size_t left = (size_t)(s.end - s.extensions);

    if (j != 0) base += LANES * s.slope;
    if (s.bases[j] == LONG_BASE) {
      if (left < 4u) return SPK_ERROR_STREAM;
      base += spk_load_u32(s.extensions);
      s.extensions += 4;
      left -= 4u;
    } else {
      base += s.bases[j] - (s.bases[j] & 0x80u) * 2u; /* sign extension */
    }

    if (bitmap == 0) {
      uint32_t linear = base;
      for (uint32_t i = 0; i < lanes; i++, linear += s.slope) {
        const uint32_t position = linear + (deltas[i] >> shift & 15u);
        if (position >= tile->n) return SPK_ERROR_STREAM;
        if (write) dst[position] = (int8_t)s.values[i];
      }
    } else {
      uint32_t masks[4] = {0, 0, 0, 0};
      for (uint32_t b = 0; b < 4u; b++) {
        if ((bitmap >> b & 1u) == 0) continue;
        if (left < 2u) return SPK_ERROR_STREAM;
        masks[b] = spk_load_u16(s.extensions);
        s.extensions += 2;
        left -= 2u;
      }
      for (uint32_t i = 0; i < lanes; i++) {
        uint32_t delta = deltas[i] >> shift & 15u;
        for (uint32_t b = 0; b < 4u; b++) delta |= (masks[b] >> i & 1u) << (4u + b);
        const uint32_t position = base + ((i * s.slope + delta) & 0xFFu);
        if (position >= tile->n) return SPK_ERROR_STREAM;
        if (write) dst[position] = (int8_t)s.values[i];
      }
    }
    s.values += lanes;
  }
  return s.end - s.extensions < 4 ? SPK_OK : SPK_ERROR_STREAM;
}

spk_status spk_dcsr_scatter(const spk_tile *tile, int8_t *dst) { return walk(tile, dst, true); }

spk_status spk_dcsr_decode(const spk_tile *tile, int8_t *dst) {
  memset(dst, 0, tile->n);
  return spk_dcsr_scatter(tile, dst);
}

spk_status spk_dcsr_validate(const spk_tile *tile) { return walk(tile, NULL, false); }
