/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacking to where the blob lies: the last tile first, so that what is overwritten is no longer needed. */
#include "spk_internal.h"

#ifndef SPK_WITHOUT_IN_PLACE

/* Tile i is written from byte margin + i * tile_size on. It, all tiles before it, the tile index and the header lie in
 * front of where it ends. So no decoder writes to what is still read if the margin takes up the difference. */
spk_status spk_in_place_margin(const spk_view *view, size_t *margin) {
  if (!view || !view->blob || !margin) return SPK_ERROR_ARGUMENT;
#ifdef SPK_WITHOUT_TRANSFORMS
  if (view->flags & SPK_TRANSFORMED) return SPK_ERROR_UNSUPPORTED;
#endif
  *margin = 0;
  for (uint32_t i = 0; i < view->n_tiles; i++) {
    spk_tile tile;
    const spk_status status = spk_find_tile(view, i, &tile);
    if (status != SPK_OK) return status;
    const size_t end = (size_t)(tile.data + tile.size - view->blob), begin = (size_t)i * view->tile_size;
    if (end > begin && end - begin > *margin) *margin = end - begin;
  }
  return SPK_OK;
}

spk_status spk_decode_in_place_s8(const spk_view *view, int8_t *dst, size_t dst_size) {
  size_t margin = 0;
  if (!view || !view->blob || (!dst && view->n_elements != 0)) return SPK_ERROR_ARGUMENT;
  if (dst_size < view->n_elements) return SPK_ERROR_DESTINATION;
  spk_status status = spk_in_place_margin(view, &margin);
  if (status != SPK_OK) return status;
  const uint8_t *const end = view->payload + view->payload_size;
  if (spk_overlaps(view->blob, end, dst, view->n_elements)) {
    const uintptr_t distance = (uintptr_t)dst - (uintptr_t)view->blob; /* large where dst begins before the blob */
    if (distance < margin || distance >= (uintptr_t)end - (uintptr_t)view->blob) return SPK_ERROR_ARGUMENT;
  }
  spk_pass pass = SPK_NO_TILE_YET;
  for (uint32_t i = view->n_tiles; i != 0 && status == SPK_OK; i--) {
    spk_tile tile;
    status = spk_find_tile(view, i - 1u, &tile);
    if (status == SPK_OK)
      status = spk_decode_found(view, i - 1u, &tile, &pass, dst + (size_t)(i - 1u) * view->tile_size);
  }
  return status;
}

#endif
