/* SPDX-License-Identifier: Apache-2.0 */
/* spk_dense_tile_s8 of any opened view: all elements of the tile are where it says. */
#include "model.h"
#include "spk_internal.h"

/* A division that gives anything: what is needed of it is what find_tile.c proves of a tile. */
SPK_INLINE uint32_t spk_ceil_div(uint32_t a, uint32_t b) {
  (void)a, (void)b;
  return (uint32_t)nondet_any();
}

#include "spk_dense_tile.c"
#include "view.h"

static uint32_t n;

/* As find_tile.c proves. */
spk_status spk_find_tile(const spk_view *view, uint32_t i, spk_tile *tile) {
  if (i >= view->n_tiles) return SPK_ERROR_TILE;
  uint32_t begin;
  ANY(begin), ANY(tile->size), ANY(n);
  if (nondet_any() & 1u) return SPK_ERROR_STREAM;
  __CPROVER_assume(begin <= view->payload_size && tile->size <= view->payload_size - begin && n >= 1u);
  tile->data = view->payload + begin;
  tile->n = n;
  return SPK_OK;
}

int main(void) {
  const spk_view v = any_view(), cleared = {0};
  uint32_t tile;
  ANY(tile);
  const int8_t *const elements = spk_dense_tile_s8(&v, tile);
  if (elements) __CPROVER_assert(__CPROVER_r_ok(elements, n), "the elements are there");
  __CPROVER_assert(spk_dense_tile_s8(&cleared, tile) == NULL, "a cleared view gives nothing");
  REACHED(elements && tile > 1u);
  return 0;
}
