/* SPDX-License-Identifier: Apache-2.0 */
/* spk_decode_s8 and spk_decode_tile_s8: dispatch to the decoder of the format. */
#include "spk_transforms.h"

spk_status spk_decode_part(uint8_t format, const spk_tile *part, int8_t *dst) {
  switch (format) {
#define DECODE(name, NAME, id) SPK_IF_##NAME(case id : return spk_##name##_decode(part, dst);)
    SPK_FORMATS(DECODE)
#undef DECODE
    default:
      (void)part; /* where no format is in this build */
      (void)dst;
      return SPK_ERROR_UNSUPPORTED;
  }
}

/* Tiles from number i on and before number end, one after the other to dst. */
static spk_status decode_tiles(const spk_view *view, uint32_t i, uint32_t end, int8_t *dst) {
  if (view->flags & SPK_TRANSFORMED) {
#ifdef SPK_WITHOUT_TRANSFORMS
    return SPK_ERROR_UNSUPPORTED;
#else
    return spk_decode_transformed(view, i, end, dst);
#endif
  }
  for (; i < end; i++, dst += view->tile_size) {
    spk_tile tile;
    spk_status status = spk_find_tile(view, i, &tile);
    if (status == SPK_OK) status = spk_decode_part(view->format, &tile, dst);
    if (status != SPK_OK) return status;
  }
  return SPK_OK;
}

/* Whether n bytes at dst and the blob have a byte in common. Both differences are modulo the size of the memory. */
static bool overlaps(const spk_view *view, const int8_t *dst, uint32_t n) {
  const uintptr_t begin = (uintptr_t)view->blob, end = (uintptr_t)view->payload + view->payload_size;
  return n != 0 && ((uintptr_t)dst - begin < end - begin || begin - (uintptr_t)dst < n);
}

spk_status spk_decode_s8(const spk_view *view, int8_t *dst, size_t dst_size) {
  if (!view || !view->blob || (!dst && view->n_elements != 0)) return SPK_ERROR_ARGUMENT;
  if (dst_size < view->n_elements) return SPK_ERROR_DESTINATION;
  if (overlaps(view, dst, view->n_elements)) return SPK_ERROR_ARGUMENT;
  return decode_tiles(view, 0, view->n_tiles, dst);
}

spk_status spk_decode_tile_s8(const spk_view *view, uint32_t tile, int8_t *dst, size_t dst_size) {
  if (!view || !view->blob || !dst) return SPK_ERROR_ARGUMENT;
  if (tile >= view->n_tiles) return SPK_ERROR_TILE;
  const uint32_t n = spk_tile_elements(view, tile);
  if (dst_size < n) return SPK_ERROR_DESTINATION;
  if (overlaps(view, dst, n)) return SPK_ERROR_ARGUMENT;
  return decode_tiles(view, tile, tile + 1u, dst);
}
