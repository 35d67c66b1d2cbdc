/* SPDX-License-Identifier: Apache-2.0 */
/* The repair of a header, field by field in the order of docs/format.md, section 2. */
#include "repair.h"

#include "repair_transforms.h"
#include "spk_internal.h"

enum { FIXED = 12, MAX_FIELDS = 4 + SPK_MAX_DIMS + 5 * TRANSFORM_FIELDS };

void store_u32(uint8_t *p, uint32_t value) {
  for (int i = 0; i < 4; i++, value >>= 8) p[i] = (uint8_t)value;
}

uint8_t *store_varint(uint8_t *p, uint32_t value) {
  for (; value > 127; value >>= 7) *p++ = (uint8_t)(value | 128u);
  *p++ = (uint8_t)value;
  return p;
}

void seal_blob(uint8_t *blob, size_t size) {
  const uint32_t crc = spk_crc32(0, blob, 8);
  store_u32(blob + 8, spk_crc32(crc, blob + FIXED, size - FIXED));
}

static uint8_t known_format(uint8_t id) {
  static const uint8_t ids[] = {
#define ID(name, NAME, id) id,
      SPK_FORMATS(ID)
#undef ID
  };
  return memchr(ids, id, sizeof ids) ? id : ids[id % sizeof ids];
}

/* Every tile ends at a multiple of 4, none before its predecessor, the last one with the payload. */
static void repair_tile_index(uint8_t *payload, uint32_t payload_size, uint32_t n_tiles) {
  uint32_t end = 4 * n_tiles;
  for (uint32_t i = 0; i + 1 < n_tiles; i++) {
    const uint32_t wanted = spk_load_u32(payload + 4 * i) & ~UINT32_C(3);
    if (wanted > end) end = spk_min_u32(wanted, payload_size);
    store_u32(payload + 4 * i, end);
  }
  store_u32(payload + 4 * (n_tiles - 1), payload_size);
}

/* What a header says, as far as it says anything. */
typedef struct header {
  uint32_t n_dims, n;
  uint32_t tile_size; /* 0: one tile */
  transforms t;
} header;

static header read_header(const uint8_t *bytes, size_t size) {
  const uint8_t *p = bytes + FIXED, *end = bytes + spk_min_u32((uint32_t)size, 4u * bytes[3]);
  header h = {(bytes[1] & 15u) % (SPK_MAX_DIMS + 1u), 1, 0, {0}};
  uint32_t value, fields[TRANSFORM_FIELDS] = {0};
  if (end < p) end = p;
  for (uint32_t axis = 0; axis < h.n_dims && p; axis++) {
    p = spk_read_varint(p, end, &value);
    if (p) h.n = h.n * (value % (REPAIR_MAX_ELEMENTS + 1)) % (REPAIR_MAX_ELEMENTS + 1);
  }
  if (p && (bytes[2] & SPK_FLAG_TILED)) p = spk_read_varint(p, end, &h.tile_size);
  for (unsigned i = 0; i < TRANSFORM_FIELDS && p; i++) p = spk_read_varint(p, end, &fields[i]);
  h.t = repair_transforms(bytes[2], fields, h.n);
  if (h.n < 2) h.tile_size = 0;
  if (h.tile_size >= h.n && h.tile_size != 0) h.tile_size = h.tile_size % (h.n - 1) + 1;
  return h;
}

static uint32_t n_tiles(const header *h) { return h->tile_size == 0 ? 1 : spk_ceil_div(h->n, h->tile_size); }

/* Writes the varints, all extents but the first 1, and what depends on them. Returns the size of the header. */
static uint32_t write_header(uint8_t *bytes, size_t size, header *h) {
  uint8_t fields[MAX_FIELDS] = {0}, *p = fields;
  for (uint32_t axis = 0; axis < h->n_dims; axis++) p = store_varint(p, axis == 0 ? h->n : 1);
  if (h->tile_size != 0) p = store_varint(p, h->tile_size);
  for (unsigned i = 0; i < h->t.n_fields; i++) p = store_varint(p, h->t.fields[i]);
  const uint32_t used = ((uint32_t)(p - fields) + 3u) & ~UINT32_C(3), begin = FIXED + used;
  const uint32_t index = h->tile_size == 0 ? 0 : 4 * n_tiles(h);
  if (begin + bitmaps_size(&h->t) + index > size) {
    const header less = {h->n_dims == 0 ? 0 : 1, h->n, 0, {0}};
    *h = less;
    return write_header(bytes, size, h);
  }
  memcpy(bytes + FIXED, fields, used);
  bytes[1] = (uint8_t)(SPK_VERSION << 4 | h->n_dims);
  bytes[2] = (uint8_t)(known_format(bytes[2] & 31u) | (h->tile_size != 0 ? SPK_FLAG_TILED : 0) | h->t.flags);
  bytes[3] = (uint8_t)(begin / 4);
  return begin;
}

size_t repair_blob(uint8_t *bytes, size_t size, bool tile_index) {
  if (size < FIXED + 4) return 0;
  bytes[0] = SPK_MAGIC;
  header h = read_header(bytes, size);
  const uint32_t begin = write_header(bytes, size, &h);
  const uint32_t payload_size = h.n == 0 ? 0 : (uint32_t)(size - begin) & ~UINT32_C(3);
  store_u32(bytes + 4, payload_size);
  const uint32_t bitmaps = bitmaps_size(&h.t);
  repair_bitmaps(&h.t, bytes + begin);
  if (tile_index && h.tile_size != 0) {
    repair_tile_index(bytes + begin + bitmaps, payload_size - bitmaps, n_tiles(&h));
  }
  seal_blob(bytes, begin + payload_size);
  return begin + payload_size;
}
