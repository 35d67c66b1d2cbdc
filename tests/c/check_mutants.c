/* SPDX-License-Identifier: Apache-2.0 */
/* Mutants: random changes, and what every one of them has to do. check_mutants.h says why. */
#include "check_mutants.h"

#include "check.h"
#include "memory.h"
#include "repair.h"
#include "spk_internal.h"

enum { MAX_SIZE = 2048, MAX_CHANGES = 4, MAX_ELEMENTS = 1 << 16 };

/* The fixed part of a header, which the shape follows. */
enum { FIXED = 12 };

static uint32_t digest;

uint32_t mutants_digest(void) { return digest; }

static void note(uint32_t result) {
  uint8_t bytes[4];
  store_u32(bytes, result);
  digest = spk_crc32(digest, bytes, sizeof bytes);
}

static uint32_t random_u32(void) {
  static uint32_t state = 1;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

/* Bytes that limits are made of, or any other. */
static uint8_t random_byte(void) {
  static const uint8_t special[] = {0, 1, 15, 16, 127, 128, 254, 255};
  const uint32_t r = random_u32();
  return (uint8_t)(r % 4 == 0 ? special[r / 4 % sizeof special] : r >> 8);
}

/* The same payload for a tensor that ends a few elements earlier: what lies there now lies outside. */
static void shorten(uint8_t *blob, uint32_t size) {
  spk_view view;
  const uint32_t less = random_u32() % 8 + 1;
  if (!CHECK(spk_open(&view, blob, size) == SPK_OK)) return;
  if (view.n_tiles != 1 || view.n_dims == 0 || view.n_elements <= less) return;
  /* As many extents of 1 as the header has room for. */
  uint8_t *const end = blob + 4 * blob[3], *p = store_varint(blob + FIXED, view.n_elements - less);
  unsigned n_dims = 1;
  for (; p < end && n_dims < SPK_MAX_DIMS; n_dims++) *p++ = 1;
  blob[1] = (uint8_t)((blob[1] & 0xF0u) | n_dims);
}

static void mutate(uint8_t *blob, uint32_t size) {
  if (random_u32() % 8 == 0) shorten(blob, size);
  for (uint32_t left = random_u32() % (MAX_CHANGES + 1); left != 0; left--) {
    /* Behind the magic and the version; one in 16 in the header, which is soon refused. */
    const uint32_t begin = random_u32() % 16 == 0 || size <= 4u * blob[3] ? 2 : 4u * blob[3];
    if (size <= begin) continue;
    const uint32_t where = begin + random_u32() % (size - begin);
    blob[where] = random_byte();
  }
  seal_blob(blob, size);
}

/* Goes on with a CRC-32 over what is decoded. */
static spk_status decode(const spk_view *view, bool whole, uint32_t tile, uint32_t n, uint32_t *crc) {
  int8_t *dst = (int8_t *)lend_tight(DESTINATION, n);
  if (!CHECK(dst != NULL)) return SPK_ERROR_DESTINATION;
  const spk_status status = whole ? spk_decode_s8(view, dst, n) : spk_decode_tile_s8(view, tile, dst, n);
  if (status == SPK_OK) *crc = spk_crc32(*crc, (const uint8_t *)dst, n);
  give_back(DESTINATION);
  return status;
}

static void check_mutant(const uint8_t *blob, uint32_t size) {
  spk_view view;
  const spk_status opened = spk_open(&view, blob, size);
  note((uint32_t)opened);
  if (opened != SPK_OK || view.n_elements > MAX_ELEMENTS) return;

  const spk_status validated = spk_validate(&view);
  uint32_t crc = 0, crc_of_tiles = 0;
  const spk_status decoded = decode(&view, true, 0, view.n_elements, &crc);
  CHECK(validated != SPK_OK || decoded == SPK_OK);
  note((uint32_t)validated);
  note((uint32_t)decoded);
  note(crc);
  for (uint32_t tile = 0; tile < view.n_tiles; tile++) {
    const spk_status status = decode(&view, false, tile, spk_tile_elements(&view, tile), &crc_of_tiles);
    CHECK(status == SPK_OK || decoded != SPK_OK);
    note((uint32_t)status);
  }
  CHECK(crc == crc_of_tiles || decoded != SPK_OK);
  note(crc_of_tiles);
}

void check_mutants(const vector *v, int n) {
  if (!v->is_valid || v->is_bundle || v->size > MAX_SIZE) return;
  check_context = v->name;
  for (; n != 0; n--) {
    uint8_t *blob = lend_tight(SOURCE, v->size);
    if (!CHECK(blob != NULL)) break;
    memcpy(blob, v->data, v->size);
    mutate(blob, v->size);
    check_mutant(blob, v->size);
    give_back(SOURCE);
  }
  check_context = "";
}
