/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: how many live elements come before one, in a tensor of at most FEW elements: any bitmaps. There are never
 * more of them between two elements than elements. */
#include "live.h"
#include "spk_live.c"
#include "spk_tflm_prune_s8.c"

int main(void) {
  uint32_t n, j;
  ANY(n), ANY(j);
  __CPROVER_assume(n >= 2u && n <= FEW && j < n);
  const spk_live live = any_live(n);
  const uint32_t before = spk_live_before(&live, j), after = spk_live_before(&live, j + 1u);
  __CPROVER_assert(before <= after && after - before <= 1u, "an element is live or not");
  REACHED(after > 2u && live.rows && live.columns);
  return 0;
}
