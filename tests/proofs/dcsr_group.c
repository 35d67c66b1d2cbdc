/* SPDX-License-Identifier: Apache-2.0 */
/* dcsr: the lanes of one group, for any base, slope, deltas and number of elements. */
#include "spk_dcsr.c"
#include "tile.h"

int main(void) {
  uint8_t deltas[16];
  uint32_t shift, mask, lanes, base, slope, n;
  shift = SHIFT, mask = MASK;
  ANY(lanes), ANY(base), ANY(slope), ANY(n);
  __CPROVER_assume(lanes >= 1u && lanes <= 16u && slope <= 17u && n >= 1u && n <= MOST);
  for (uint32_t i = 0; i < 16u; i++) __CPROVER_assume(mask == 15u || deltas[i] <= mask);
  const uint8_t *values = malloc(lanes);
  int8_t *dst = malloc(n);
  const bool inside = scatter_group(deltas, shift, mask, lanes, base, slope, values, n, dst);
  REACHED(inside);
  return 0;
}
