/* SPDX-License-Identifier: Apache-2.0 */
/* spk_open: every check of the header that needs no look at the payload. docs/format.md, section 2. */
#include "spk_transforms.h"

/* What a header of all varints takes: shape, tile size, and section 2.1. */
enum { MAX_HEADER = (SPK_HEADER_SIZE + 5 * ((int)SPK_MAX_DIMS + 1 + 5 + 3) + 3) / 4 * 4 };

/* The varints of the header, from p on. Returns where the last one ends, or null where one breaks a rule. */
static const uint8_t *read_fields(spk_view *v, const uint8_t *p, const uint8_t *end, uint32_t at_hand) {
  bool is_empty = 0;
  uint64_t n = 1;
  for (unsigned axis = 0; axis < v->n_dims; axis++) {
    uint32_t extent;
    p = spk_read_varint(p, end, &extent);
    if (!p) return NULL;
    if (extent == 0) is_empty = true;
    if (n <= SPK_MAX_ELEMENTS) n *= extent; /* 31 bits times 32 */
  }
  if (is_empty) n = 0;
  if (n > SPK_MAX_ELEMENTS) return NULL;
  v->n_elements = (uint32_t)n;
  v->tile_size = v->n_elements ? v->n_elements : 1u;
  if (v->flags & SPK_FLAG_TILED) {
    p = spk_read_varint(p, end, &v->tile_size);
    if (!p || v->tile_size == 0 || v->tile_size >= v->n_elements) return NULL;
  }
  v->n_tiles = spk_ceil_div(v->n_elements, v->tile_size);
  if (!(v->flags & SPK_TRANSFORMED)) return p;
#ifdef SPK_WITHOUT_TRANSFORMS
  (void)at_hand;
  return end; /* whatever follows: it is not decoded */
#else
  spk_transforms t;
  const spk_payload payload = {end, v->payload_size, at_hand};
  uint32_t n_bytes;
  p = spk_read_transforms(&t, v->flags, v->n_elements, p, &payload, &n_bytes);
  v->payload += spk_min_u32(n_bytes, at_hand);
  v->payload_size -= n_bytes;
  return p;
#endif
}

spk_status spk_open(spk_view *view, const void *blob, size_t blob_size) {
  if (!view) return SPK_ERROR_ARGUMENT;
  spk_clear_view(view);
  if (!blob) return SPK_ERROR_ARGUMENT;
  uint32_t size = (uint32_t)blob_size;
  if (size != blob_size) size = UINT32_MAX; /* of which no header speaks */
  return spk_open_header(view, (const uint8_t *)blob, size, UINT32_MAX);
}

spk_status spk_open_header(spk_view *view, const uint8_t *p, uint32_t blob_size, uint32_t at_hand) {
  spk_clear_view(view);
  if (blob_size == 0) return SPK_ERROR_TRUNCATED;
  if (p[0] != SPK_MAGIC) return SPK_ERROR_MAGIC;
  if (blob_size < SPK_HEADER_SIZE) return SPK_ERROR_TRUNCATED;
  if (p[1] >> 4 != SPK_VERSION) return SPK_ERROR_VERSION;

  spk_view v;
  v.blob = p;
  v.n_dims = p[1] & 15u;
  v.format = p[2] & 31u;
  v.flags = p[2] & 0xE0u;
  v.payload_size = spk_load_u32(p + 4);
  switch (v.format) {
#define KNOWN(name, NAME, id) case id:
    SPK_FORMATS(KNOWN)
#undef KNOWN
    break;
    default:
      return SPK_ERROR_FORMAT;
  }
  const uint32_t header = 4u * p[3];
  if (v.n_dims > SPK_MAX_DIMS || header < SPK_HEADER_SIZE || v.payload_size % 4u != 0) return SPK_ERROR_HEADER;
  if (blob_size < header || blob_size - header != v.payload_size) return SPK_ERROR_TRUNCATED;
  if (header > MAX_HEADER) return SPK_ERROR_HEADER;
  v.payload = p + header;

  const uint8_t *end = read_fields(&v, p + SPK_HEADER_SIZE, v.payload, at_hand);
  if (!end || p + header - end >= 4) return SPK_ERROR_HEADER;
  if (v.n_tiles == 0 && v.payload_size != 0) return SPK_ERROR_HEADER;
  /* The tile index must fit, so that later reads of it need no check. */
  if (v.n_tiles > 1 && v.payload_size / 4u < v.n_tiles) return SPK_ERROR_HEADER;
  *view = v;
  return SPK_OK;
}
