/* SPDX-License-Identifier: Apache-2.0 */
/* spk_validate: the checksum, then every tile by its format. */
#include "spk_internal.h"

static spk_status validate_tile(uint8_t format, const spk_tile *tile) {
  switch (format) {
#define VALIDATE(name, NAME, id) SPK_IF_##NAME(case id : return spk_##name##_validate(tile);)
    SPK_FORMATS(VALIDATE)
#undef VALIDATE
    default:
      return SPK_ERROR_UNSUPPORTED;
  }
}

spk_status spk_validate(const spk_view *view) {
  if (!view) return SPK_ERROR_ARGUMENT;
  const size_t header = (size_t)(view->payload - view->blob);
  uint32_t crc = spk_crc32(0, view->blob, SPK_HEADER_CRC);
  crc = spk_crc32(crc, view->blob + SPK_HEADER_SIZE, header - SPK_HEADER_SIZE + view->payload_size);
  if (crc != spk_load_u32(view->blob + SPK_HEADER_CRC)) return SPK_ERROR_CHECKSUM;

  spk_tile tile;
  for (uint32_t i = 0; i < view->n_tiles; i++) {
    spk_status status = spk_find_tile(view, i, &tile);
    if (status == SPK_OK) status = validate_tile(view->format, &tile);
    if (status != SPK_OK) return status;
  }
  /* The last tile ends with the payload. */
  if (view->n_tiles != 0 && tile.data + tile.size != view->payload + view->payload_size) return SPK_ERROR_STREAM;
  return SPK_OK;
}
