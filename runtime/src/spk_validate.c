/* SPDX-License-Identifier: Apache-2.0 */
/* spk_validate: the checksum, then every tile by its format. */
#include "spk_transforms.h"

spk_status spk_validate_part(uint8_t format, const spk_tile *part) {
  switch (format) {
#define VALIDATE(name, NAME, id) SPK_IF_##NAME(case id : return spk_##name##_validate(part);)
    SPK_FORMATS(VALIDATE)
#undef VALIDATE
    default:
      (void)part; /* where no format is in this build */
      return SPK_ERROR_UNSUPPORTED;
  }
}

spk_status spk_validate_found(const spk_view *view, uint32_t i, const spk_tile *tile, spk_pass *pass) {
  SPK_IF_TRANSFORMS(if (view->flags & SPK_TRANSFORMED) return spk_validate_transformed(view, i, tile, pass);)
  (void)i;
  (void)pass;
  return spk_validate_part(view->format, tile);
}

static spk_status validate_tile(const spk_view *view, uint32_t i, spk_pass *pass, spk_tile *tile) {
#ifdef SPK_WITHOUT_TRANSFORMS
  if (view->flags & SPK_TRANSFORMED) return SPK_ERROR_UNSUPPORTED;
#endif
  const spk_status status = spk_find_tile(view, i, tile);
  return status == SPK_OK ? spk_validate_found(view, i, tile, pass) : status;
}

spk_status spk_validate(const spk_view *view) {
  if (!view || !view->blob) return SPK_ERROR_ARGUMENT;
  const size_t header = (size_t)(view->payload - view->blob);
  uint32_t crc = spk_crc32(0, view->blob, SPK_HEADER_CRC);
  crc = spk_crc32(crc, view->blob + SPK_HEADER_SIZE, header - SPK_HEADER_SIZE + view->payload_size);
  if (crc != spk_load_u32(view->blob + SPK_HEADER_CRC)) return SPK_ERROR_CHECKSUM;

  spk_tile tile;
  spk_pass pass = SPK_NO_TILE_YET;
  for (uint32_t i = 0; i < view->n_tiles; i++) {
    const spk_status status = validate_tile(view, i, &pass, &tile);
    if (status != SPK_OK) return status;
  }
  /* The last tile ends with the payload. */
  if (view->n_tiles != 0 && tile.data + tile.size != view->payload + view->payload_size) return SPK_ERROR_STREAM;
  return SPK_OK;
}
