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

spk_status spk_decode_found(const spk_view *view, uint32_t i, const spk_tile *tile, spk_pass *pass, int8_t *dst) {
  if (view->flags & SPK_TRANSFORMED) {
#ifdef SPK_WITHOUT_TRANSFORMS
    (void)i;
    (void)pass;
    return SPK_ERROR_UNSUPPORTED;
#else
    return spk_decode_transformed(view, i, tile, pass, dst);
#endif
  }
  return spk_decode_part(view->format, tile, dst);
}

static spk_status decode_tile(const spk_view *view, uint32_t i, spk_pass *pass, int8_t *dst) {
  spk_tile tile;
#ifdef SPK_WITHOUT_TRANSFORMS
  if (view->flags & SPK_TRANSFORMED) return SPK_ERROR_UNSUPPORTED;
#endif
  const spk_status status = spk_find_tile(view, i, &tile);
  return status == SPK_OK ? spk_decode_found(view, i, &tile, pass, dst) : status;
}

/* Both differences are modulo the size of the memory. */
bool spk_overlaps(const void *begin, const void *end, const void *dst, uint32_t n) {
  const uintptr_t from = (uintptr_t)begin, at = (uintptr_t)dst;
  return n != 0 && (at - from < (uintptr_t)end - from || from - at < n);
}

static bool overlaps(const spk_view *view, const int8_t *dst, uint32_t n) {
  return spk_overlaps(view->blob, view->payload + view->payload_size, dst, n);
}

spk_status spk_decode_s8(const spk_view *view, int8_t *dst, size_t dst_size) {
  if (!view || !view->blob || (!dst && view->n_elements != 0)) return SPK_ERROR_ARGUMENT;
  if (dst_size < view->n_elements) return SPK_ERROR_DESTINATION;
  if (overlaps(view, dst, view->n_elements)) return SPK_ERROR_ARGUMENT;
  spk_pass pass = SPK_NO_TILE_YET;
  for (uint32_t i = 0; i < view->n_tiles; i++) {
    const spk_status status = decode_tile(view, i, &pass, dst + (size_t)i * view->tile_size);
    if (status != SPK_OK) return status;
  }
  return SPK_OK;
}

spk_status spk_decode_tile_s8(const spk_view *view, uint32_t tile, int8_t *dst, size_t dst_size) {
  if (!view || !view->blob || !dst) return SPK_ERROR_ARGUMENT;
  if (tile >= view->n_tiles) return SPK_ERROR_TILE;
  const uint32_t n = spk_tile_elements(view, tile);
  if (dst_size < n) return SPK_ERROR_DESTINATION;
  if (overlaps(view, dst, n)) return SPK_ERROR_ARGUMENT;
  spk_pass pass = SPK_NO_TILE_YET;
  return decode_tile(view, tile, &pass, dst);
}
