/* SPDX-License-Identifier: Apache-2.0 */
/* Where a tile lies: the tile index of docs/format.md, section 2. */
#include "spk_internal.h"

uint32_t spk_tile_elements(const spk_view *view, uint32_t tile) {
  if (!view || tile >= view->n_tiles) return 0;
  return spk_min_u32(view->tile_size, view->n_elements - tile * view->tile_size);
}

spk_status spk_find_tile(const spk_view *view, uint32_t i, spk_tile *tile) {
  uint32_t begin = 0, end = view->payload_size;
  if (i >= view->n_tiles) return SPK_ERROR_TILE;
  if (view->n_tiles > 1) {
    begin = i ? spk_load_u32(view->payload + 4u * (i - 1u)) : 4u * view->n_tiles;
    end = spk_load_u32(view->payload + 4u * i);
  }
  if (!spk_is_tile(view, begin, end)) return SPK_ERROR_STREAM;
  tile->data = view->payload + begin;
  tile->size = end - begin;
  tile->n = spk_tile_elements(view, i);
  return SPK_OK;
}
