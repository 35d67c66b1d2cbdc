/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: one element counts as live where the bits of its row and of its column are set, which are those that
 * spreading looks at. live_before.c proves that a stretch counts as much as its parts. */
#include "live.h"
#include "spk_live.c"

int main(void) {
  uint32_t i;
  ANY(i);
  __CPROVER_assume(i < FEW);
  const spk_live live = any_live(FEW);
  const bool in_row = !live.rows || is_set(live.rows, i / ROW);
  const bool in_column = !live.columns || is_set(live.columns, i % ROW % COLUMNS);
  __CPROVER_assert(spk_live_between(&live, i, i + 1u) == (in_row && in_column), "an element is live or not");
  REACHED(in_row && in_column && live.rows && i > ROW);
  return 0;
}
