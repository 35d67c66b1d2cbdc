/* SPDX-License-Identifier: Apache-2.0 */
/* bitmap: the streams of a tile of any bytes, and what the other proofs of bitmap assume of them. */
#include "bitmap_planes.h"
#include "spk_bitmap.c"
#include "tile.h"

int main(void) {
  const spk_tile tile = any_tile();
  spk_bitmap_streams s;
  if (!open_streams(&tile, &s)) return 0;
  __CPROVER_assert(s.width >= 1u && s.width <= 8u, "values have 1 to 8 bits");
  __CPROVER_assert(!s.bitmap || __CPROVER_r_ok(s.bitmap, spk_ceil_div(tile.n, 8)), "the bitmap is there");
  __CPROVER_assert(s.rest_size == 0 || __CPROVER_r_ok(s.rest, s.rest_size), "and the rest");
  if (s.width == 8u) {
    __CPROVER_assert(s.bitmap != NULL, "bytes have a bitmap");
  } else {
    const uint32_t size = size_of_planes(s.n, s.width);
    __CPROVER_assert(s.n <= tile.n && (s.bitmap || s.n == tile.n), "there are as many values");
    __CPROVER_assert(size == 0 || __CPROVER_r_ok(s.planes, size), "their planes are there");
    __CPROVER_assert(s.n_patches <= s.rest_size && s.patch_bits <= 7u, "and their patches");
  }
  REACHED(s.width == 5u && s.bitmap && s.n > 2u && s.n_patches > 1u);
  return 0;
}
