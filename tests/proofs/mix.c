/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: two classes of at most FEW live elements, mixed again: any bitmap. */
#include "live.h"
#include "spk_classes.c"
#define leading_zeros leading_zeros_of_live
#include "spk_live.c"
#include "spk_tflm_prune_s8.c"

/* CBMC looks for what a pointer calls among the functions whose addresses are taken. */
void (*const called[2])(finder *, finder *, int8_t *, uint32_t) = {swap_elements, swap_units};

int main(void) {
  uint32_t whole, first, n;
  ANY(whole), ANY(first), ANY(n);
  __CPROVER_assume(whole >= 2u && whole <= FEW && first < whole && n >= 1u && n <= whole - first);
  const spk_live live = any_live(whole);
  const uint32_t n_second = spk_second_class(&live, first, n);
  __CPROVER_assert(n_second <= n, "a class has no more elements than there are");
  int8_t *x = malloc(n);
  spk_mix_classes(&live, x, first, n, n_second);
  REACHED(n_second > 1u && n_second < n - 1u);
  return 0;
}
