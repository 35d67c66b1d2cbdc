/* The repair of a header, field by field in the order of docs/format.md, section 2. */
#include "repair.h"

#include "spk_internal.h"

enum { FIXED = 12, MAX_FIELDS = 4 + SPK_MAX_DIMS };

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

/* What the varints say, as far as they are some: elements, and where there is one the tile size, or 0. */
static uint32_t read_fields(const uint8_t *bytes, size_t size, uint32_t n_dims, uint32_t *tile_size) {
  const uint8_t *p = bytes + FIXED, *end = bytes + spk_min_u32((uint32_t)size, 4u * bytes[3]);
  uint32_t n = 1, value;
  if (end < p) end = p;
  for (uint32_t axis = 0; axis < n_dims && p; axis++) {
    p = spk_read_varint(p, end, &value);
    if (p) n = n * (value % (REPAIR_MAX_ELEMENTS + 1)) % (REPAIR_MAX_ELEMENTS + 1);
  }
  *tile_size = 0;
  if (p && (bytes[2] & SPK_FLAG_TILED)) spk_read_varint(p, end, tile_size);
  return n;
}

/* Writes the varints, all extents but the first 1, and what depends on them. Returns the size of the header. */
static uint32_t write_fields(uint8_t *bytes, size_t size, uint32_t n_dims, uint32_t n, uint32_t tile_size) {
  uint8_t fields[MAX_FIELDS] = {0}, *p = fields;
  for (uint32_t axis = 0; axis < n_dims; axis++) p = store_varint(p, axis == 0 ? n : 1);
  if (tile_size != 0) p = store_varint(p, tile_size);
  const uint32_t used = ((uint32_t)(p - fields) + 3u) & ~UINT32_C(3);
  if (FIXED + used > size) return write_fields(bytes, size, n_dims == 0 ? 0 : 1, n, 0);
  memcpy(bytes + FIXED, fields, used);
  bytes[1] = (uint8_t)(SPK_VERSION << 4 | n_dims);
  bytes[2] = (uint8_t)(known_format(bytes[2] & 31u) | (tile_size != 0 ? SPK_FLAG_TILED : 0));
  bytes[3] = (uint8_t)((FIXED + used) / 4);
  return FIXED + used;
}

/* Entries that a tile index can have behind the longest header. */
static uint32_t largest_index(size_t size) {
  return size < FIXED + MAX_FIELDS ? 0 : (uint32_t)(size - FIXED - MAX_FIELDS) / 4;
}

size_t repair_blob(uint8_t *bytes, size_t size, bool tile_index) {
  if (size < FIXED + 4) return 0;
  bytes[0] = SPK_MAGIC;
  const uint32_t n_dims = (bytes[1] & 15u) % (SPK_MAX_DIMS + 1u);
  uint32_t tile_size;
  const uint32_t n = read_fields(bytes, size, n_dims, &tile_size);
  if (n < 2) tile_size = 0;
  if (tile_size >= n && tile_size != 0) tile_size = tile_size % (n - 1) + 1;
  if (tile_size != 0 && spk_ceil_div(n, tile_size) > largest_index(size)) tile_size = 0;

  const uint32_t header = write_fields(bytes, size, n_dims, n, tile_size);
  const uint32_t payload_size = n == 0 ? 0 : (uint32_t)(size - header) & ~UINT32_C(3);
  store_u32(bytes + 4, payload_size);
  const bool tiled = bytes[2] & SPK_FLAG_TILED;
  if (tile_index && tiled) repair_tile_index(bytes + header, payload_size, spk_ceil_div(n, tile_size));
  seal_blob(bytes, header + payload_size);
  return header + payload_size;
}
