/* bitmap: one bit for each element, most significant first, and the non-zeros. docs/format.md, section 8. */
#include "spk_internal.h"

SPK_INLINE uint32_t popcount8(uint32_t byte) {
  byte -= byte >> 1 & 0x55u;
  byte = (byte & 0x33u) + (byte >> 2 & 0x33u);
  return (byte + (byte >> 4)) & 15u;
}

#if !SPK_HELIUM
/* The first n elements of a bitmap byte. Returns where the values go on. */
SPK_INLINE const uint8_t *expand(uint32_t bits, uint32_t n, const uint8_t *values, int8_t *dst) {
  for (uint32_t i = 0; i < n; i++, bits <<= 1) {
    int8_t value = 0;
    if (bits & 0x80u) value = (int8_t)*values++;
    dst[i] = value;
  }
  return values;
}

spk_status spk_bitmap_decode(const spk_tile *tile, int8_t *dst) {
  spk_reader reader = {tile, 0};
  const uint8_t *bitmap = spk_take(&reader, spk_ceil_div(tile->n, 8));
  if (!bitmap) return SPK_ERROR_STREAM;
  const uint8_t *values = tile->data + reader.pos;
  const uint8_t *const end = tile->data + tile->size;

  uint32_t left = tile->n;
  /* No byte takes more than eight values, so these need no look at its bits. */
  for (; left >= 8u && end - values >= 8; left -= 8u, dst += 8) values = expand(*bitmap++, 8, values, dst);
  while (left) {
    const uint32_t n = spk_min_u32(left, 8), bits = *bitmap++;
    if (popcount8(bits) > (size_t)(end - values)) return SPK_ERROR_STREAM;
    values = expand(bits, n, values, dst);
    dst += n;
    left -= n;
  }
  return SPK_OK;
}
#endif

spk_status spk_bitmap_validate(const spk_tile *tile) {
  spk_reader reader = {tile, 0};
  const uint32_t size = spk_ceil_div(tile->n, 8);
  const uint8_t *bitmap = spk_take(&reader, size);
  if (!bitmap) return SPK_ERROR_STREAM;
  uint32_t n_values = 0;
  for (uint32_t i = 0; i < size; i++) n_values += popcount8(bitmap[i]);
  if (tile->n % 8u != 0 && (bitmap[size - 1u] & (0xFFu >> tile->n % 8u)) != 0) return SPK_ERROR_STREAM;
  return spk_ends(n_values, spk_left(&reader)) ? SPK_OK : SPK_ERROR_STREAM;
}
