/* SPDX-License-Identifier: Apache-2.0 */
/* dcsr: a mask adds one bit to the deltas of its lanes. */
#include "spk_dcsr.c"
#include "tile.h"

int main(void) {
  uint8_t deltas[16];
  __CPROVER_havoc_object(deltas);
  uint32_t mask, bit, i;
  ANY(mask), ANY(bit), ANY(i);
  __CPROVER_assume(mask <= UINT16_MAX && bit >= 4u && bit <= 7u && i < 16u);
  __CPROVER_assume(deltas[i] < 1u << bit);
  extend(deltas, mask, bit);
  __CPROVER_assert(deltas[i] < 2u << bit, "no delta has more bits than so many");
  REACHED(mask != 0);
  return 0;
}
