/* SPDX-License-Identifier: Apache-2.0 */
/* bitmap: a tile whose streams were found, as bitmap_open.c proves. Unpacking and expanding have proofs of their own,
 * which promise that they need no more than what is asked here. */
#include "bitmap_planes.h"
#undef SPK_BITMAP_UNPACK_WITH
#define SPK_BITMAP_UNPACK_WITH(unpack)
#include "spk_bitmap.c"
#include "tile.h"

static bool open_streams(const spk_tile *tile, spk_bitmap_streams *s) {
  ANY(s->width), ANY(s->n), ANY(s->rest_size), ANY(s->n_patches), ANY(s->patch_bits);
  if (nondet_any() & 1u) return false;
  __CPROVER_assume(s->width >= 1u && s->width <= 8u && s->rest_size <= MOST && s->patch_bits <= 7u);
  s->bitmap = NULL;
  if (s->width == 8u || nondet_any() & 1u) s->bitmap = malloc(spk_ceil_div(tile->n, 8));
  s->rest = malloc(s->rest_size);
  if (s->width != 8u) {
    __CPROVER_assume(s->n <= tile->n && (s->bitmap || s->n == tile->n) && s->n_patches <= s->rest_size);
    s->planes = malloc(size_of_planes(s->n, s->width));
  }
  return true;
}
void spk_bitmap_unpack(uint8_t *values, const spk_bitmap_streams *s) {
  const uint32_t size = size_of_planes(s->n, s->width);
  __CPROVER_assert(s->width >= 1u && s->width <= 7u, "values have fewer than 8 bits");
  __CPROVER_assert(s->n == 0 || __CPROVER_w_ok(values, s->n), "there is room for them");
  __CPROVER_assert(size == 0 || __CPROVER_r_ok(s->planes, size), "their planes are there");
}
const int8_t *spk_expand_bitmap(int8_t *dst, size_t n, const uint8_t *bitmap, const int8_t *values, size_t n_values) {
  __CPROVER_assert(n == 0 || __CPROVER_w_ok(dst, n), "the destination has room");
  __CPROVER_assert(n == 0 || __CPROVER_r_ok(bitmap, n / 8u + (n % 8u != 0)), "the bitmap is there");
  __CPROVER_assert(n_values == 0 || __CPROVER_r_ok(values, n_values), "and the values");
  return nondet_any() & 1u ? dst + n : NULL;
}
DECODE_OR_VALIDATE(bitmap)
