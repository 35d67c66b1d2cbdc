/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: a tile of any opened blob, decoded or validated: its parts, and what every step is called with. The steps
 * have proofs of their own. The tile is one that spk_find_tile finds, as find_tile.c proves. The pass knows what it
 * would know after any other tile, where the counts are as live_before.c proves. The header was read by spk_open, which
 * open.c proves; here it gives any transforms. */
#include "live.h"
#include "spk_transforms.h"
#include "tile.h"

static uint32_t n_elements, tile_number, tile_begin, counted_first, counted_n, counted_second;
static spk_pass pass;

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
uint32_t spk_live_between(const spk_live *live, uint32_t begin, uint32_t end) {
  (void)live;
  __CPROVER_assert(begin <= end && end <= n_elements, "elements are counted that the tensor has");
  uint32_t count;
  ANY(count);
  __CPROVER_assume(count <= end - begin);
  /* The pass has counted before the next tile, which is all before this one and all in it. */
  if (begin == tile_begin && pass.tile == tile_number + 1u) {
    __CPROVER_assume(count <= pass.first_live && pass.first_live - count <= tile_begin);
  }
  return count;
}
uint32_t spk_second_class(const spk_live *live, uint32_t first, uint32_t n) {
  (void)live;
  __CPROVER_assert((uint64_t)first + n <= n_elements, "live elements are elements");
  counted_first = first, counted_n = n;
  ANY(counted_second);
  __CPROVER_assume(counted_second <= n);
  return counted_second;
}
void spk_mix_classes(const spk_live *live, int8_t *x, uint32_t first, uint32_t n, uint32_t n_second) {
  __CPROVER_assert(live->classes && (n == 0 || __CPROVER_w_ok(x, n)), "the elements of both classes are there");
  __CPROVER_assert(n == 0 || (first == counted_first && n == counted_n && n_second == counted_second), "as counted");
}
void spk_live_expand(const spk_live *live, int8_t *dst, uint32_t begin, uint32_t n, uint32_t n_live) {
  (void)live;
  __CPROVER_assert(begin == tile_begin && n_live <= n, "the live elements are those of the tile");
  __CPROVER_assert(__CPROVER_w_ok(dst, n), "there is room for all of them");
}
void spk_restore(const spk_prediction *prediction, int8_t *dst, uint32_t n) {
  __CPROVER_assert(prediction->kind <= 4u && prediction->distance >= 1u && prediction->second >= 1u, "as read");
  __CPROVER_assert(__CPROVER_w_ok(dst, n), "the elements are there");
}

#include "spk_transforms.c"

static bool transforms_of(const spk_view *view, spk_transforms *t) {
  t->live = any_live(view->n_elements);
  if (nondet_any() & 1u) t->live.classes = NULL;
  ANY(t->prediction.kind), ANY(t->prediction.distance), ANY(t->prediction.second);
  __CPROVER_assume(t->prediction.kind <= 4u && (t->prediction.distance == 0 || t->prediction.second >= 1u));
  return nondet_any() & 1u;
}

int main(void) {
  spk_view v;
  ANY(v.n_elements), ANY(v.tile_size), ANY(v.format);
  const spk_tile tile = any_tile();
  ANY(tile_number);
  const uint64_t begin = (uint64_t)tile_number * v.tile_size;
  __CPROVER_assume(v.n_elements >= 2u && v.n_elements <= MOST && tile.n <= v.tile_size);
  __CPROVER_assume(begin + tile.n <= v.n_elements);
  n_elements = v.n_elements;
  tile_begin = (uint32_t)begin;
  ANY(pass.tile), ANY(pass.first_live), ANY(pass.n_live);
  if (pass.tile + 1u == tile_number) {
    __CPROVER_assume(pass.first_live <= tile_begin && pass.n_live <= tile_begin - pass.first_live);
  }
  spk_status status;
  if (DECODES) {
    int8_t *dst = malloc(tile.n);
    status = spk_decode_transformed(&v, tile_number, &tile, &pass, dst);
  } else {
    status = spk_validate_transformed(&v, tile_number, &tile, &pass);
  }
  REACHED(status == SPK_OK && tile_number > 1u);
  return 0;
}
