/* SPDX-License-Identifier: Apache-2.0 */
/* spk_decode_s8 and spk_decode_tile_s8 of any opened view into any destination: what every decoder is called with. */
#include "model.h"
#include "spk_internal.h"

/* Where a tile begins in the tensor, which it must not leave: as find_tile.c proves. */
uint32_t __CPROVER_uninterpreted_elements(uint32_t i);
#define END_IN_TENSOR(begin) \
  __CPROVER_assume(i >= view->n_tiles || (begin) + __CPROVER_uninterpreted_elements(i) <= view->n_elements)

/* A division that gives anything: what is needed of it is what find_tile.c proves of a tile. */
SPK_INLINE uint32_t spk_ceil_div(uint32_t a, uint32_t b) {
  (void)a, (void)b;
  return (uint32_t)nondet_any();
}

#include "spk_transforms.h"
#include "view.h"

static void there(const spk_tile *tile, const int8_t *dst) {
  __CPROVER_assert(tile->size == 0 || __CPROVER_r_ok(tile->data, tile->size), "the bytes of a tile are there");
  __CPROVER_assert(tile->size % 4u == 0 && tile->n >= 1u, "they are whole words, of elements");
  __CPROVER_assert(!dst || __CPROVER_w_ok(dst, tile->n), "the destination has room for them");
}
/* What spk_decode_part was called with, which the decoder of the format gets as it is. */
static const spk_tile *given_tile;
static int8_t *given_dst;
#define STUB(name, NAME, id)                                                                      \
  spk_status spk_##name##_decode(const spk_tile *tile, int8_t *dst) {                             \
    __CPROVER_assert(tile == given_tile && dst == given_dst, "a format gets what was looked at"); \
    return (spk_status)(nondet_any() % 13u);                                                      \
  }
SPK_FORMATS(STUB)

#include "spk_decode_s8.c"

spk_status spk_decode_part(uint8_t format, const spk_tile *part, int8_t *dst) {
  there(part, dst);
  given_tile = part;
  given_dst = dst;
  return real_spk_decode_part(format, part, dst);
}

/* As find_tile.c proves. */
uint32_t spk_tile_elements(const spk_view *view, uint32_t i) {
  if (i >= view->n_tiles) return 0;
  const uint32_t n = __CPROVER_uninterpreted_elements(i);
  __CPROVER_assume(n >= 1u && n <= view->n_elements);
  return n;
}
spk_status spk_find_tile(const spk_view *view, uint32_t i, spk_tile *tile) {
  __CPROVER_assert(i < view->n_tiles && __CPROVER_w_ok(tile, sizeof *tile), "there is such a tile");
  uint32_t begin;
  ANY(begin), ANY(tile->size);
  __CPROVER_assume(tile->size % 4u == 0 && begin <= view->payload_size && tile->size <= view->payload_size - begin);
  tile->data = view->payload + begin;
  tile->n = spk_tile_elements(view, i);
  return nondet_any() & 1u ? SPK_OK : SPK_ERROR_STREAM;
}

spk_status spk_decode_transformed(const spk_view *view, uint32_t i, const spk_tile *tile, spk_pass *pass, int8_t *dst) {
  __CPROVER_assert(i < view->n_tiles, "there is such a tile");
  __CPROVER_assert(__CPROVER_w_ok(pass, sizeof *pass), "there is room for what a pass knows");
  there(tile, dst);
  return (spk_status)(nondet_any() % 13u);
}

int main(void) {
  const spk_view v = any_view();
  size_t size;
  ANY(size);
  __CPROVER_assume(size <= MOST);
  int8_t *dst = malloc(size);
#if ONE_TILE
  uint32_t tile;
  ANY(tile);
  REACHED(spk_decode_tile_s8(&v, tile, dst, size) == SPK_OK && tile > 1u);
#else
  REACHED(spk_decode_s8(&v, dst, size) == SPK_OK && v.n_tiles > 1u);
#endif
  const spk_view cleared = {0};
  __CPROVER_assert(spk_decode_s8(&cleared, dst, size) == SPK_ERROR_ARGUMENT, "a cleared view gives nothing");
  __CPROVER_assert(spk_decode_tile_s8(&cleared, 0, dst, size) == SPK_ERROR_ARGUMENT, "neither does a tile of it");
  return 0;
}
