/* SPDX-License-Identifier: Apache-2.0 */
/* huffman: a chunk of values, stored at any gaps that a code can give, 1 to 63. */
#include "spk_huffman.c"
#include "tile.h"

int main(void) {
  uint8_t gaps[ROOM], values[ROOM];
  __CPROVER_havoc_object(gaps), __CPROVER_havoc_object(values);
  uint32_t n, position, count;
  ANY(n), ANY(position), ANY(count);
  __CPROVER_assume(n >= 1u && n <= MOST && position <= n && count >= 1u && count <= (uint32_t)SPK_HUFFMAN_CHUNK);
  for (uint32_t i = 0; i < (uint32_t)SPK_HUFFMAN_CHUNK; i++) __CPROVER_assume(gaps[i] >= 1u && gaps[i] <= 63u);
  /* The address before the first element is computed, where nothing is stored. */
  int8_t *const room = malloc((size_t)n + 1u), *const dst = room + 1;
  const int8_t before = room[0];
  const bool inside = spk_huffman_scatter(dst, n, &position, gaps, values, count);
  if (inside) __CPROVER_assert(position <= n, "the next element is searched from within");
  __CPROVER_assert(room[0] == before, "nothing is stored in front of the destination");
  REACHED(inside);
  return 0;
}
