/* SPDX-License-Identifier: Apache-2.0 */
/* What the targets share: copies of exact size, and decoding in both ways. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

uint8_t *exact_copy(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size);
  if (!copy) abort();
  if (data && size) memcpy(copy, data, size);
  return copy;
}

static void decode_tiles(const spk_view *view, const int8_t *whole, bool valid) {
  size_t done = 0;
  for (uint32_t tile = 0; tile < view->n_tiles; tile++) {
    const uint32_t n = spk_tile_elements(view, tile);
    REQUIRE(n != 0 && n <= view->tile_size);
    int8_t *part = (int8_t *)exact_copy(NULL, n);
    const spk_status status = spk_decode_tile_s8(view, tile, part, n);
    REQUIRE(!valid || status == SPK_OK);
    if (valid) REQUIRE(memcmp(part, whole + done, n) == 0);
    free(part);
    done += n;
  }
  REQUIRE(done == view->n_elements);
}

void fuzz_decode(const spk_view *view, bool valid) {
  if (view->n_elements > MAX_ELEMENTS) return;
  int8_t *whole = (int8_t *)exact_copy(NULL, view->n_elements);
  const spk_status status = spk_decode_s8(view, whole, view->n_elements);
  REQUIRE(!valid || status == SPK_OK);
  decode_tiles(view, whole, valid);
  free(whole);
}
