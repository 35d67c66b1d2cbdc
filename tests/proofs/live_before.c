/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: how many elements of a stretch are live, in a tensor of at most FEW elements: any bitmaps. There are
 * never more of them between two elements than elements. */
#include "live.h"
#include "spk_live.c"
#include "spk_tflm_prune_s8.c"

int main(void) {
  uint32_t n, i, j;
  ANY(n), ANY(i), ANY(j);
  __CPROVER_assume(n >= 2u && n <= FEW && i <= j && j <= n);
  const spk_live live = any_live(n);
  const uint32_t before = spk_live_between(&live, 0, i), between = spk_live_between(&live, i, j);
  __CPROVER_assert(before <= i && between <= j - i, "an element is live or not");
  __CPROVER_assert(before + between == spk_live_between(&live, 0, j), "two stretches have those of both");
  REACHED(before > 1u && between > 1u && live.rows);
  return 0;
}
