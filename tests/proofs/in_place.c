/* SPDX-License-Identifier: Apache-2.0 */
/* spk_decode_in_place_s8 and spk_in_place_margin of any opened view, whose blob and destination lie apart (APART) or
 * anywhere in one piece of memory. No tile is decoded over its own bytes, nor over the header, the bitmaps and the
 * index: so that what spk_find_tile gives stays as it was, which is assumed here. */
#include "model.h"
#include "spk_transforms.h"

/* A division that gives anything: what is needed of it is what find_tile.c proves of a tile. */
SPK_INLINE uint32_t spk_ceil_div(uint32_t a, uint32_t b) {
  (void)a, (void)b;
  return (uint32_t)nondet_any();
}

#include "view.h"

uint32_t __CPROVER_uninterpreted_elements(uint32_t i);
uint32_t __CPROVER_uninterpreted_end(uint32_t i);
/* Where tile k ends, from the start of the blob: the margin takes up how far that is beyond where it is written. */
#define TAKEN_UP(k, margin) \
  ((size_t)(view->payload - view->blob) + __CPROVER_uninterpreted_end(k) <= (margin) + (size_t)(k) * view->tile_size)
/* No margin is larger than the blob, so that no sum here wraps around. */
#define AT_MOST ((size_t)(view->payload - view->blob) + view->payload_size)
/* The first tile comes after the index. */
#define INDEX_SIZE (view->n_tiles > 1u ? 4u * view->n_tiles : 0)
#define FIRST_TAKEN_UP(margin) (INDEX_SIZE <= __CPROVER_uninterpreted_end(0) && TAKEN_UP(0, margin))
#define END_IN_TENSOR(k)                   \
  __CPROVER_assume((k) >= view->n_tiles || \
                   (size_t)(k) * view->tile_size + __CPROVER_uninterpreted_elements(k) <= view->n_elements)

static uint32_t which; /* one tile, any: what is proved of it is true of every tile */

#include "spk_decode_s8.c"
#include "spk_in_place.c"

/* As find_tile.c proves, and always the same of the same tile. */
spk_status spk_find_tile(const spk_view *view, uint32_t i, spk_tile *tile) {
  __CPROVER_assert(i < view->n_tiles && __CPROVER_w_ok(tile, sizeof *tile), "there is such a tile");
  uint32_t begin;
  ANY(begin);
  const uint32_t end = __CPROVER_uninterpreted_end(i);
  if (nondet_any() & 1u) return SPK_ERROR_STREAM;
  __CPROVER_assume(begin <= end && end <= view->payload_size && begin % 4u == 0 && end % 4u == 0);
  if (i == 0) __CPROVER_assume(begin == INDEX_SIZE);
  tile->data = view->payload + begin;
  tile->size = end - begin;
  tile->n = __CPROVER_uninterpreted_elements(i);
  __CPROVER_assume(tile->n >= 1u);
  return SPK_OK;
}

spk_status spk_decode_found(const spk_view *view, uint32_t i, const spk_tile *tile, spk_pass *pass, int8_t *dst) {
  __CPROVER_assert(i < view->n_tiles && __CPROVER_w_ok(pass, sizeof *pass), "there is such a tile");
  __CPROVER_assert(tile->size == 0 || __CPROVER_r_ok(tile->data, tile->size), "its bytes are there");
  __CPROVER_assert(__CPROVER_w_ok(dst, tile->n), "the destination has room for it");
  const uint8_t *const at = (const uint8_t *)dst;
  if (__CPROVER_same_object(at, view->blob) && at + tile->n > view->blob && at < view->payload + view->payload_size) {
    __CPROVER_assert(i != which || at >= tile->data + tile->size, "a tile is not decoded over its own bytes,");
    __CPROVER_assert(at >= view->payload + INDEX_SIZE, "nor over the header, the bitmaps and the index");
  }
  return (spk_status)(nondet_any() % 13u);
}

int main(void) {
  spk_view v = any_shape();
  uint32_t before, at, to;
  size_t size, all;
  ANY(before), ANY(at), ANY(to), ANY(size), ANY(all), ANY(which);
  __CPROVER_assume(before >= SPK_HEADER_SIZE && before <= MOST && before % 4u == 0);
  __CPROVER_assume(at <= MOST && to <= MOST && size <= MOST && all <= (size_t)5u * MOST);
  __CPROVER_assume((size_t)at + before + v.payload_size <= all && which < v.n_tiles);
  uint8_t *memory = malloc(all);
  v.blob = memory + at;
  v.payload = v.blob + before;
#if APART
  int8_t *dst = malloc(size);
#else
  __CPROVER_assume(to + size <= all);
  int8_t *dst = (int8_t *)memory + to;
#endif
  REACHED(spk_decode_in_place_s8(&v, dst, size) == SPK_OK && v.n_tiles > 1u);
  return 0;
}
