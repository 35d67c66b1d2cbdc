/* SPDX-License-Identifier: Apache-2.0 */
/* spk_open: every check of the header that needs no look at the payload. docs/format.md, section 2. */
#include "spk_internal.h"

/* Whether a shape of n_dims extents has n elements. */
static bool shape_holds(const uint8_t *shape, uint32_t n_dims, uint32_t n) {
  for (uint32_t axis = 0; axis < n_dims; axis++) {
    if (spk_load_u32(shape + 4u * axis) == 0) return n == 0;
  }
  uint64_t product = 1;
  for (uint32_t axis = 0; axis < n_dims && product <= n; axis++) product *= spk_load_u32(shape + 4u * axis);
  return product == n;
}

spk_status spk_open(spk_view *view, const void *blob, size_t blob_size) {
  if (!view || !blob) return SPK_ERROR_ARGUMENT;
  const uint8_t *p = (const uint8_t *)blob;
  if (blob_size < 4) return SPK_ERROR_TRUNCATED;
  if (memcmp(p, "SPKB", 4) != 0) return SPK_ERROR_MAGIC;
  if (blob_size < SPK_HEADER_SIZE) return SPK_ERROR_TRUNCATED;
  if (p[4] != SPK_VERSION) return SPK_ERROR_VERSION;

  spk_view v;
  v.blob = p;
  v.format = p[5];
  v.n_dims = p[6];
  v.n_elements = spk_load_u32(p + 8);
  v.n_non_zero = spk_load_u32(p + 12);
  v.tile_size = spk_load_u32(p + 16);
  v.payload_size = spk_load_u32(p + 20);
  v.n_tiles = spk_load_u32(p + 24);
  switch (v.format) {
#define KNOWN(name, NAME, id) case id:
    SPK_FORMATS(KNOWN)
#undef KNOWN
    break;
    default:
      return SPK_ERROR_FORMAT;
  }
  if (v.n_dims > SPK_MAX_DIMS || p[7] != 0) return SPK_ERROR_HEADER;
  if (v.n_elements > SPK_MAX_ELEMENTS || v.n_non_zero > v.n_elements) return SPK_ERROR_HEADER;
  if (v.tile_size == 0 || v.tile_size > (v.n_elements ? v.n_elements : 1u)) return SPK_ERROR_HEADER;
  if (v.n_tiles != spk_ceil_div(v.n_elements, v.tile_size)) return SPK_ERROR_HEADER;
  if (v.payload_size % 4u != 0 || (v.n_tiles == 0 && v.payload_size != 0)) return SPK_ERROR_HEADER;

  const uint32_t header = (SPK_HEADER_SIZE + 4u * v.n_dims + 15u) & ~15u;
  if (blob_size < header || blob_size - header != v.payload_size) return SPK_ERROR_TRUNCATED;
  v.payload = p + header;
  /* The tile index must fit, so that later reads of it need no check. */
  if (v.n_tiles > 1 && v.payload_size / 4u < v.n_tiles) return SPK_ERROR_HEADER;

  if (!shape_holds(p + SPK_HEADER_SIZE, v.n_dims, v.n_elements)) return SPK_ERROR_HEADER;
  *view = v;
  return SPK_OK;
}
