/* SPDX-License-Identifier: Apache-2.0 */
/* Source and destination that overlap: refused, whatever they have in common. And what happens below that check, where
 * a decoder changes what it still has to read: as DMA might, which nobody can check. It may decode nonsense, but it
 * stays within the block that both are in, which AddressSanitizer watches. Only the first part is a promise of spk.h.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "find_vector.h"
#include "spk.h"
#include "spk_transforms.h"
#include "tests.h"
#include "vector.h"

enum { MAX_SIZE = 2048, MAX_ELEMENTS = 8192, MOST_PLACES = 1000, DENSE = 1, PSR = 2 };

static uint8_t *allocate(size_t size) {
  uint8_t *block = malloc(size);
  if (!block) abort();
  return block;
}

/* A blob at bytes [n, n + size) of a block, and destinations of n bytes from before it to after it. */
static void test_refused(const vectors *all) {
  const vector v = find_vector(all, "bitmap_tiles_of_100.blob");
  const uint32_t n = v.raw_size, size = v.size;
  uint8_t *const block = allocate(2 * (size_t)n + size);
  spk_view view;
  memcpy(block + n, v.data, size);
  CHECK(spk_open(&view, block + n, size) == SPK_OK && view.n_elements == n && view.tile_size < n);
  for (uint32_t at = 1; at < n + size; at++) {
    CHECK(spk_decode_s8(&view, (int8_t *)block + at, n) == SPK_ERROR_ARGUMENT);
  }
  /* A tile takes fewer bytes. */
  const uint32_t tile = view.tile_size;
  for (uint32_t at = n - tile + 1; at < n + size; at++) {
    CHECK(spk_decode_tile_s8(&view, 0, (int8_t *)block + at, tile) == SPK_ERROR_ARGUMENT);
  }
  CHECK(memcmp(block + n, v.data, size) == 0); /* nothing was written */
  /* What only adjoins does not overlap, nor does a destination whose end is not used. */
  CHECK(spk_decode_s8(&view, (int8_t *)block, 2 * n) == SPK_OK && memcmp(block, v.raw, n) == 0);
  CHECK(spk_decode_s8(&view, (int8_t *)block + n + size, n) == SPK_OK);
  CHECK(memcmp(block + n + size, v.raw, n) == 0);
  CHECK(spk_decode_tile_s8(&view, 0, (int8_t *)block + n - tile, tile + size) == SPK_OK);
  CHECK(spk_decode_tile_s8(&view, 0, (int8_t *)block + n + size, n) == SPK_OK);
  free(block);
}

/* Nothing is written for a tensor without elements, wherever that is. */
static void test_empty(const vectors *all) {
  const vector v = find_vector(all, "dcsr_empty_in_three_dimensions.blob");
  spk_view view;
  uint8_t blob[64];
  if (!CHECK(v.size <= sizeof blob)) return;
  memcpy(blob, v.data, v.size);
  CHECK(spk_open(&view, blob, v.size) == SPK_OK && spk_decode_s8(&view, (int8_t *)blob, 0) == SPK_OK);
}

/* A tile of a format that begins at `at` of the n bytes that it is decoded to. */
static void decode_inside(const spk_view *view, const spk_tile *part, uint32_t at) {
  const uint32_t n = part->n, size = part->size;
  uint8_t *const block = allocate(at + size > n ? at + size : n);
  const spk_tile inside = {block + at, size, n};
  memset(block, 0, n);
  memcpy(block + at, part->data, size);
  const spk_status status = spk_decode_part(view->format, &inside, (int8_t *)block);
  CHECK(status == SPK_OK || status == SPK_ERROR_STREAM);
  free(block);
}

static void test_below(const vectors *all) {
  unsigned n_decoded = 0;
  for (uint32_t i = 0; i < all->n; i++) {
    const vector v = get_vector(all->image, i);
    spk_view view;
    spk_tile tile;
    if (v.is_bundle || !v.is_valid || v.size > MAX_SIZE || v.raw_size > MAX_ELEMENTS) continue;
    check_context = v.name;
    if (!CHECK(spk_open(&view, v.data, v.size) == SPK_OK) || (view.flags & SPK_TRANSFORMED)) continue;
    if (view.format == DENSE || view.format == PSR) continue; /* memcpy, which must not be asked to */
    if (view.n_tiles == 0 || spk_find_tile(&view, 0, &tile) != SPK_OK) continue;
    const uint32_t step = tile.n / MOST_PLACES + 1u;
    for (uint32_t at = 0; at < tile.n; at += step, n_decoded++) decode_inside(&view, &tile, at);
  }
  check_context = "overlap";
  CHECK(n_decoded > 1000);
}

void test_overlap(const vectors *all) {
  check_context = "overlap";
  test_refused(all);
  test_empty(all);
  test_below(all);
}
