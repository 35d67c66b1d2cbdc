/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: two classes of live elements of a tensor of FEW, mixed again: units of UNIT elements, and any bitmap of
 * UNITS bits. The functions find as many elements of both classes as there are: no element outside is looked for. */
#include "live.h"
#include "spk_classes.c"
#define leading_zeros leading_zeros_of_live
#include "spk_live.c"
#include "spk_tflm_prune_s8.c"

/* CBMC looks for what a pointer calls among the functions whose addresses are taken. */
void (*const called[2])(finder *, finder *, int8_t *, uint32_t) = {swap_elements, swap_units};

int main(void) {
  uint32_t first, n;
  ANY(first), ANY(n);
  __CPROVER_assume(first < FEW && n >= 1u && n <= FEW - first);
  const spk_live live = any_live(FEW);
  const uint32_t n_second = spk_second_class(&live, first, n);
  __CPROVER_assert(n_second <= n, "a class has no more elements than there are");
  int8_t *x = malloc(n);
  spk_mix_classes(&live, x, first, n, n_second);
  REACHED(n_second > 1u && n_second < n - 1u);
  return 0;
}
