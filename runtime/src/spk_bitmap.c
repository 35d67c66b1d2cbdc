/* bitmap: one bit for each element, most significant first, and the non-zeros. docs/format.md, section 8. */
#include "spk_internal.h"

spk_status spk_bitmap_decode(const spk_tile *tile, int8_t *dst) {
  spk_reader reader = {tile, 0};
  const uint32_t size = spk_ceil_div(tile->n, 8);
  const uint8_t *bitmap = spk_take(&reader, size);
  if (!bitmap) return SPK_ERROR_STREAM;
  return spk_tflm_prune_s8(dst, tile->n, bitmap, size, (const int8_t *)tile->data + reader.pos, spk_left(&reader));
}

spk_status spk_bitmap_validate(const spk_tile *tile) {
  spk_reader reader = {tile, 0};
  const uint32_t size = spk_ceil_div(tile->n, 8);
  const uint8_t *bitmap = spk_take(&reader, size);
  if (!bitmap) return SPK_ERROR_STREAM;
  uint32_t n_values = 0;
  for (uint32_t i = 0; i < size; i++) n_values += spk_count_bits(bitmap[i]);
  if (tile->n % 8u != 0 && (bitmap[size - 1u] & (0xFFu >> tile->n % 8u)) != 0) return SPK_ERROR_STREAM;
  return spk_ends(n_values, spk_left(&reader)) ? SPK_OK : SPK_ERROR_STREAM;
}
