/* SPDX-License-Identifier: Apache-2.0 */
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
  if (!bitmap || !spk_bitmap_ends(bitmap, tile->n)) return SPK_ERROR_STREAM;
  return spk_ends(spk_bitmap_count(bitmap, size), spk_left(&reader)) ? SPK_OK : SPK_ERROR_STREAM;
}
