/* SPDX-License-Identifier: Apache-2.0 */
/* rans: the slots of a symbol, which keep its meaning. */
#include "model.h"
#include "spk_rans.c"
#include "spk_rans.h"

int main(void) {
  uint32_t frequency, meaning, i;
  frequency = FREQUENCY;
  ANY(meaning), ANY(i);
  __CPROVER_assume(meaning <= UINT16_MAX && i < frequency);
  uint32_t *slot = malloc(frequency * sizeof *slot);
  fill(slot, frequency, meaning);
  __CPROVER_assert(slot[i] >> 16 == meaning, "every slot has the meaning");
  REACHED(i == FREQUENCY - 1u);
  return 0;
}
