/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: live elements spread over a tile, in a tensor of at most FEW elements: any bitmaps. */
#include "live.h"
#include "spk_live.c"
#include "spk_tflm_prune_s8.c"

int main(void) {
  uint32_t whole, begin, n;
  ANY(whole), ANY(begin), ANY(n);
  __CPROVER_assume(whole >= 2u && whole <= FEW && begin < whole && n >= 1u && n <= whole - begin);
  const spk_live live = any_live(whole);
  const uint32_t n_live = spk_live_between(&live, begin, begin + n);
  int8_t *dst = malloc(n);
  spk_live_expand(&live, dst, begin, n, n_live);
  REACHED(n_live > 2u && live.rows && live.columns);
  return 0;
}
