/* SPDX-License-Identifier: Apache-2.0 */
/* spk_decode_s8 and spk_decode_tile_s8 of any opened view into any destination: what every decoder is called with. */
#include "spk_transforms.h"
#include "view.h"

static void there(const spk_tile *tile, const int8_t *dst) {
  __CPROVER_assert(tile->size == 0 || __CPROVER_r_ok(tile->data, tile->size), "the bytes of a tile are there");
  __CPROVER_assert(tile->size % 4u == 0 && tile->n >= 1u, "they are whole words, of elements");
  __CPROVER_assert(!dst || __CPROVER_w_ok(dst, tile->n), "the destination has room for them");
}
#define STUB(name, NAME, id)                                          \
  spk_status spk_##name##_decode(const spk_tile *tile, int8_t *dst) { \
    there(tile, dst);                                                 \
    return (spk_status)(nondet_any() % 13u);                          \
  }
SPK_FORMATS(STUB)

#include "spk_decode_s8.c"
#include "spk_tile.c"

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
  if (nondet_any() & 1u) {
    uint32_t tile;
    ANY(tile);
    REACHED(spk_decode_tile_s8(&v, tile, dst, size) == SPK_OK && tile > 1u);
  } else {
    REACHED(spk_decode_s8(&v, dst, size) == SPK_OK && v.n_tiles > 1u);
  }
  const spk_view cleared = {0};
  __CPROVER_assert(spk_decode_s8(&cleared, dst, size) == SPK_ERROR_ARGUMENT, "a cleared view gives nothing");
  __CPROVER_assert(spk_decode_tile_s8(&cleared, 0, dst, size) == SPK_ERROR_ARGUMENT, "neither does a tile of it");
  return 0;
}
