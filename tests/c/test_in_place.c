/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacking in place: every vector, every place that a destination may have, and blobs that no encoder wrote. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "check_in_place.h"
#include "find_vector.h"
#include "spk.h"
#include "tests.h"

enum { N_MUTANTS = 3000, INDEX_AT = 16 };

static uint8_t *allocate(size_t size) {
  uint8_t *const block = malloc(size);
  if (!block) abort();
  return block;
}

static void test_arguments(const vectors *all) {
  const vector v = find_vector(all, "bitmap_tiles_of_100.blob");
  static int8_t dst[1 << 16];
  spk_view view;
  size_t margin;
  CHECK(spk_open(&view, v.data, v.size) == SPK_OK && v.raw_size <= sizeof dst);
  CHECK(spk_in_place_margin(NULL, &margin) == SPK_ERROR_ARGUMENT);
  CHECK(spk_in_place_margin(&view, NULL) == SPK_ERROR_ARGUMENT);
  CHECK(spk_decode_in_place_s8(NULL, dst, sizeof dst) == SPK_ERROR_ARGUMENT);
  CHECK(spk_decode_in_place_s8(&view, NULL, sizeof dst) == SPK_ERROR_ARGUMENT);
  CHECK(spk_decode_in_place_s8(&view, dst, sizeof dst) == SPK_OK && memcmp(dst, v.raw, v.raw_size) == 0);
  memset(&view, 0, sizeof view);
  CHECK(spk_in_place_margin(&view, &margin) == SPK_ERROR_ARGUMENT);
  CHECK(spk_decode_in_place_s8(&view, dst, sizeof dst) == SPK_ERROR_ARGUMENT);
}

/* Every place from before the blob to after it either is refused or gives the tensor. */
static void test_places(const vectors *all) {
  const vector v = find_vector(all, "bitmap_tiles_of_100.blob");
  const size_t n = v.raw_size, size = v.size;
  uint8_t *const block = allocate(2 * n + size);
  spk_view view;
  size_t margin = 0, n_refused = 0;
  CHECK(spk_open(&view, v.data, size) == SPK_OK && spk_in_place_margin(&view, &margin) == SPK_OK);
  CHECK(margin < size / 2);
  for (size_t at = 0; at <= n + size; at++) {
    int8_t *const dst = (int8_t *)block + at;
    memcpy(block + n, v.data, size);
    CHECK(spk_open(&view, block + n, size) == SPK_OK);
    const spk_status status = spk_decode_in_place_s8(&view, dst, n);
    CHECK(status == (at == 0 || at >= n + margin ? SPK_OK : SPK_ERROR_ARGUMENT));
    if (status == SPK_OK) CHECK(memcmp(dst, v.raw, n) == 0);
    n_refused += status == SPK_ERROR_ARGUMENT;
  }
  CHECK(n_refused == n + margin - 1);
  free(block);
}

/* Whatever the tile index and the tiles say, nothing is written outside the buffer, which AddressSanitizer watches. */
static void test_mutants(const vectors *all, const char *name) {
  const vector v = find_vector(all, name);
  uint32_t state = 1, n_decoded = 0, n_refused = 0;
  for (unsigned i = 0; i < N_MUTANTS; i++) {
    uint8_t *const blob = allocate(v.size);
    memcpy(blob, v.data, v.size);
    for (unsigned change = 0; change < 3; change++) {
      state ^= state << 13;
      state ^= state >> 17;
      state ^= state << 5;
      const uint32_t range = change == 0 ? 32 : v.size - INDEX_AT;
      blob[INDEX_AT + state % range] = (uint8_t)(state >> 24);
    }
    spk_view view;
    size_t margin = 0;
    if (spk_open(&view, blob, v.size) == SPK_OK && view.n_elements == v.raw_size &&
        spk_in_place_margin(&view, &margin) == SPK_OK) {
      const size_t whole = margin + view.n_elements > v.size ? margin + view.n_elements : v.size;
      uint8_t *const buffer = allocate(whole);
      memcpy(buffer, blob, v.size);
      CHECK(spk_open(&view, buffer, v.size) == SPK_OK);
      const spk_status status = spk_decode_in_place_s8(&view, (int8_t *)buffer + margin, view.n_elements);
      CHECK(status == SPK_OK || status == SPK_ERROR_STREAM);
      n_decoded += status == SPK_OK;
      free(buffer);
    } else {
      n_refused++;
    }
    free(blob);
  }
  CHECK(n_decoded != 0 && n_refused != 0);
}

void test_in_place(const vectors *all) {
  for (uint32_t i = 0; i < all->n; i++) {
    const vector v = get_vector(all->image, i);
    check_in_place(&v);
  }
  test_arguments(all);
  test_places(all);
  check_context = "mutants in place";
  test_mutants(all, "bitmap_tiles_of_100.blob");
  test_mutants(all, "rle_tiles_of_100.blob");
  test_mutants(all, "huffman_tiles_of_100.blob");
}
