/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: COLUMNS columns, repeated: the bitmap is longer and says the same. */
#include "spk_live.c"
#include "tile.h"

int main(void) {
  uint8_t longer[64];
  uint8_t *const columns = malloc((COLUMNS + 7) / 8);
  spk_live live;
  live.columns = nondet_any() & 1u ? columns : NULL;
  live.n_columns = COLUMNS;
  repeat_columns(&live, longer, sizeof longer);
  if (!live.columns) return 0;
  __CPROVER_assert(live.n_columns >= COLUMNS && live.n_columns % COLUMNS == 0, "all columns are repeated as often");
  uint32_t i;
  ANY(i);
  __CPROVER_assume(i < live.n_columns);
  __CPROVER_assert(is_set(live.columns, i) == is_set(columns, i % COLUMNS), "a column is live as before");
  REACHED(i >= COLUMNS - 1u);
  return 0;
}
