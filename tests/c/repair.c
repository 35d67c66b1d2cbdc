/* The repair of a header, field by field in the order of docs/format.md, section 2. */
#include "repair.h"

#include "spk_internal.h"

enum { HEADER = 32 };

void store_u32(uint8_t *p, uint32_t value) {
  for (int i = 0; i < 4; i++, value >>= 8) p[i] = (uint8_t)value;
}

void seal_blob(uint8_t *blob, size_t size) {
  const uint32_t crc = spk_crc32(0, blob, 28);
  store_u32(blob + 28, spk_crc32(crc, blob + HEADER, size - HEADER));
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

size_t repair_blob(uint8_t *bytes, size_t size, bool tile_index) {
  if (size < HEADER) return 0;
  memcpy(bytes, "SPKB", 4);
  bytes[4] = SPK_VERSION;
  bytes[5] = known_format(bytes[5]);
  uint32_t n_dims = bytes[6] % (SPK_MAX_DIMS + 1u), header = (HEADER + 4 * n_dims + 15u) & ~15u;
  if (header > size) n_dims = 0, header = HEADER;
  bytes[6] = (uint8_t)n_dims;
  bytes[7] = 0;

  const uint32_t n = n_dims == 0 ? 1 : spk_load_u32(bytes + 8) % (REPAIR_MAX_ELEMENTS + 1);
  const uint32_t payload_size = n == 0 ? 0 : (uint32_t)(size - header) & ~UINT32_C(3);
  const uint32_t largest_tile = n == 0 ? 1 : n;
  uint32_t tile_size = spk_load_u32(bytes + 16);
  if (tile_size == 0 || tile_size > largest_tile) tile_size = tile_size % largest_tile + 1;
  if (spk_ceil_div(n, tile_size) > payload_size / 4) tile_size = largest_tile;
  const uint32_t n_tiles = spk_ceil_div(n, tile_size);

  store_u32(bytes + 8, n);
  store_u32(bytes + 12, spk_min_u32(spk_load_u32(bytes + 12), n));
  store_u32(bytes + 16, tile_size);
  store_u32(bytes + 20, payload_size);
  store_u32(bytes + 24, n_tiles);
  for (uint32_t axis = 0; axis < n_dims; axis++) store_u32(bytes + HEADER + 4 * axis, axis == 0 ? n : 1);
  if (tile_index && n_tiles > 1) repair_tile_index(bytes + header, payload_size, n_tiles);
  seal_blob(bytes, header + payload_size);
  return header + payload_size;
}
