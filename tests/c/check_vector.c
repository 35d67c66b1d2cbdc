/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of one vector, in all the places where it may lie. check_vector.h says which. */
#include "check_vector.h"

#include <string.h>

#include "check.h"
#include "memory.h"
#include "spk.h"

enum { TIGHT = 16 }; /* in place of a misalignment */

static uint8_t *lend_as(memory_use use, size_t size, unsigned place) {
  return place == TIGHT ? lend_tight(use, size) : lend(use, size, place);
}

static bool holds_only(const uint8_t *bytes, size_t size, uint8_t byte) {
  for (size_t i = 0; i < size; i++) {
    if (bytes[i] != byte) return false;
  }
  return true;
}

static bool guards_hold(const uint8_t *destination, size_t size) {
  return holds_only(destination - GUARD, GUARD, GUARD_BYTE) && holds_only(destination + size, GUARD, GUARD_BYTE);
}

/* One way to decode n elements: all of them, or one tile. expected is null where the bytes are not known. */
typedef spk_status decoder(const spk_view *view, uint32_t tile, int8_t *dst, size_t dst_size);

static spk_status decode_whole(const spk_view *view, uint32_t tile, int8_t *dst, size_t dst_size) {
  (void)tile;
  return spk_decode_s8(view, dst, dst_size);
}

static spk_status check_decoder(decoder *decode, const spk_view *view, uint32_t tile, uint32_t n,
                                const uint8_t *expected, unsigned place) {
  uint8_t *dst = lend_as(DESTINATION, n, place);
  if (!CHECK(dst != NULL)) return SPK_ERROR_DESTINATION;
  if (n != 0) {
    CHECK(decode(view, tile, (int8_t *)dst, n - 1) == SPK_ERROR_DESTINATION);
    if (place != TIGHT) CHECK(holds_only(dst, n, GUARD_BYTE));
  }
  const spk_status status = decode(view, tile, (int8_t *)dst, n);
  if (expected) CHECK(memcmp(dst, expected, n) == 0);
  if (place != TIGHT) CHECK(guards_hold(dst, n));
  give_back(DESTINATION);
  return status;
}

/* Decodes whole and tile by tile. Tiles of a broken blob may decode although the whole does not. */
static spk_status check_decoding(const spk_view *view, const uint8_t *expected, unsigned place) {
  const spk_status status = check_decoder(decode_whole, view, 0, view->n_elements, expected, place);
  uint32_t done = 0;
  for (uint32_t tile = 0; tile < view->n_tiles; tile++) {
    const uint32_t n = spk_tile_elements(view, tile);
    const uint8_t *part = expected ? expected + done : NULL;
    const spk_status of_tile = check_decoder(spk_decode_tile_s8, view, tile, n, part, place);
    CHECK(of_tile == SPK_OK || status != SPK_OK);
    done += n;
  }
  CHECK(done == view->n_elements);
  return status;
}

static void check_blob(const vector *v, const uint8_t *data, unsigned place) {
  spk_view view;
  const spk_status opened = spk_open(&view, data, v->size);
  CHECK((int)opened == v->opened);
  if (opened != SPK_OK) return;
  CHECK((int)spk_validate(&view) == v->validated);
  if (v->is_valid && !CHECK(view.n_elements == v->raw_size)) return;
  CHECK((int)check_decoding(&view, v->is_valid ? v->raw : NULL, place) == v->decoded);
}

/* One tensor of a valid bundle. Returns where the next one is expected. */
static const uint8_t *check_tensor(const spk_bundle *bundle, const char *name, const spk_view *view,
                                   const uint8_t *expected, unsigned place) {
  spk_view found;
  if (name) CHECK(strcmp(name, (const char *)expected) == 0);
  CHECK(spk_bundle_find(bundle, (const char *)expected, &found) == SPK_OK && found.blob == view->blob);
  expected += strlen((const char *)expected) + 1;
  CHECK(check_decoding(view, expected, place) == SPK_OK);
  return expected + view->n_elements;
}

static void check_bundle(const vector *v, const uint8_t *data, unsigned place) {
  spk_bundle bundle;
  spk_view view;
  const spk_status opened = spk_bundle_open(&bundle, data, v->size);
  CHECK((int)opened == v->opened);
  if (opened != SPK_OK) return;
  CHECK((int)spk_bundle_validate(&bundle) == v->validated);

  spk_status first_failure = SPK_OK;
  const uint8_t *expected = v->raw;
  for (uint32_t i = 0; i < bundle.n_tensors; i++) {
    const char *name = NULL;
    spk_status status = spk_bundle_get(&bundle, i, &name, &view);
    if (v->is_valid && CHECK(status == SPK_OK && (name != NULL) == (data[5] == 1))) {
      expected = check_tensor(&bundle, name, &view, expected, place);
    } else if (status == SPK_OK) {
      status = check_decoding(&view, NULL, place);
    }
    if (first_failure == SPK_OK) first_failure = status;
  }
  CHECK((int)first_failure == v->decoded);
  CHECK(!v->is_valid || expected == v->raw + v->raw_size);
  CHECK(spk_bundle_get(&bundle, bundle.n_tensors, NULL, &view) == SPK_ERROR_NOT_FOUND);
  CHECK(spk_bundle_find(&bundle, "no such tensor", &view) == SPK_ERROR_NOT_FOUND);
}

void check_vector(const vector *v) {
  check_context = v->name;
  for (unsigned place = 0; place <= TIGHT; place++) {
    uint8_t *data = lend_as(SOURCE, v->size, place);
    if (!CHECK(data != NULL)) continue;
    memcpy(data, v->data, v->size);
    /* Source and destination change their alignment at different paces. */
    const unsigned destination_place = place == TIGHT ? TIGHT : place * 5 % 16;
    (v->is_bundle ? check_bundle : check_blob)(v, data, destination_place);
    give_back(SOURCE);
  }
  check_context = "";
}
