/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: live elements of a row without columns, moved to where they belong. */
#include "spk_live.c"
#include "tile.h"

int main(void) {
  uint32_t distance, n;
  ANY(distance), ANY(n);
  __CPROVER_assume(distance <= MOST && n <= MOST);
  int8_t *memory = malloc((size_t)distance + n);
  move_down(memory, memory + distance, n);
  REACHED(distance > 2u && n > 3u * distance);
  return 0;
}
