/* SPDX-License-Identifier: Apache-2.0 */
/* spk_find_tile and spk_tile_elements of any opened view, and any number of a tile. */
#include "spk_tile.c"
#include "view.h"

int main(void) {
  const spk_view v = any_view();
  uint32_t i;
  ANY(i);
  const uint32_t n = spk_tile_elements(&v, i);
  if (i < v.n_tiles) {
    __CPROVER_assert(n >= 1u && n <= v.tile_size && (uint64_t)i * v.tile_size + n <= v.n_elements,
                     "a tile has elements");
  }
  spk_tile tile;
  const spk_status status = spk_find_tile(&v, i, &tile);
  if (status == SPK_OK) {
    __CPROVER_assert(tile.size % 4u == 0 && tile.size <= v.payload_size, "a tile is whole words,");
    __CPROVER_assert((size_t)(tile.data - v.payload) <= v.payload_size - tile.size, "lies in the payload,");
    __CPROVER_assert(tile.n >= 1u && tile.n <= v.tile_size, "has elements,");
    __CPROVER_assert((uint64_t)i * v.tile_size + tile.n <= v.n_elements, "and they are of the tensor");
  }
  REACHED(status == SPK_OK && i > 1u);
  return 0;
}
