/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: a tile of any opened blob, decoded or validated: its parts, and what every step is called with. The steps
 * have proofs of their own. That the number of live elements in a tile is at most that of its elements is what
 * live_before.c proves. The header was read by spk_open, which open.c proves; here it gives any transforms. */
#include "spk_transforms.h"
#include "tile.h"
#include "view.h"

static void there(const spk_tile *part) {
  __CPROVER_assert(part->size == 0 || __CPROVER_r_ok(part->data, part->size), "the bytes of a part are there");
  __CPROVER_assert(part->n >= 1u && part->size % 4u == 0, "it has elements, in whole words");
}
spk_status spk_decode_part(uint8_t format, const spk_tile *part, int8_t *dst) {
  (void)format;
  there(part);
  __CPROVER_assert(__CPROVER_w_ok(dst, part->n), "the destination has room for them");
  return (spk_status)(nondet_any() % 13u);
}
spk_status spk_validate_part(uint8_t format, const spk_tile *part) {
  (void)format;
  there(part);
  return (spk_status)(nondet_any() % 13u);
}
static uint32_t last_at, last_count;
uint32_t spk_live_before(const spk_live *live, uint32_t j) {
  (void)live;
  uint32_t more;
  ANY(more);
  __CPROVER_assume(more <= j - last_at);
  last_at = j;
  last_count += more;
  return last_count;
}
uint32_t spk_second_class(const spk_live *live, uint32_t first, uint32_t n) {
  (void)live, (void)first;
  uint32_t of_it;
  ANY(of_it);
  __CPROVER_assume(of_it <= n);
  return of_it;
}
void spk_mix_classes(const spk_live *live, int8_t *x, uint32_t first, uint32_t n, uint32_t n_second) {
  (void)live, (void)first;
  __CPROVER_assert(n_second <= n && (n == 0 || __CPROVER_w_ok(x, n)), "the elements of both classes are there");
}
void spk_live_expand(const spk_live *live, int8_t *dst, uint32_t begin, uint32_t n, uint32_t n_live) {
  (void)live, (void)begin;
  __CPROVER_assert(n_live <= n && __CPROVER_w_ok(dst, n), "the live elements are at the end of the tile");
}
void spk_restore(const spk_prediction *prediction, int8_t *dst, uint32_t n) {
  __CPROVER_assert(prediction->kind <= 4u && prediction->distance >= 1u && prediction->second >= 1u, "as read");
  __CPROVER_assert(__CPROVER_w_ok(dst, n), "the elements are there");
}

#include "spk_tile.c"
#include "spk_transforms.c"

static bool transforms_of(const spk_view *view, spk_transforms *t) {
  (void)view;
  static uint8_t bits[4];
  t->live.classes = nondet_any() & 1u ? bits : NULL;
  t->live.rows = t->live.columns = NULL;
  t->live.row = view->n_elements;
  t->live.n_columns = t->live.n_units = t->live.unit = 1;
  ANY(t->prediction.kind), ANY(t->prediction.distance), ANY(t->prediction.second);
  __CPROVER_assume(t->prediction.kind <= 4u && (t->prediction.distance == 0 || t->prediction.second >= 1u));
  return nondet_any() & 1u;
}

int main(void) {
  const spk_view v = any_view();
  uint32_t tile;
  ANY(tile);
  __CPROVER_assume(tile < v.n_tiles);
  spk_status status;
  if (DECODES) {
    int8_t *dst = malloc(spk_tile_elements(&v, tile));
    status = spk_decode_transformed(&v, tile, dst);
  } else {
    status = spk_validate_transformed(&v, tile);
  }
  REACHED(status == SPK_OK);
  return 0;
}
