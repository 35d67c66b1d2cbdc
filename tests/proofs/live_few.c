/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: elements of a live row, one by one. As many values are read as bits are set: how many are set before a
 * column is a function of which the proof only knows that each bit adds one or none. */
#include "model.h"

uint32_t __CPROVER_uninterpreted_set_before(uint32_t column);
#define SET_BEFORE(column) __CPROVER_uninterpreted_set_before(column)
static uint32_t last_column;

#include "spk_live.c"

static bool is_set(const uint8_t *bits, uint32_t i) {
  __CPROVER_assert(__CPROVER_r_ok(bits + i / 8u, 1), "the bit is there");
  const uint32_t one = SET_BEFORE(i + 1u) - SET_BEFORE(i);
  __CPROVER_assume(one <= 1u && SET_BEFORE(i + 1u) <= SET_BEFORE(last_column));
  return one != 0;
}

int main(void) {
  uint32_t n_columns, c, n;
  ANY(n_columns), ANY(c), ANY(n);
  __CPROVER_assume(n_columns <= MOST && c <= n_columns && n <= n_columns - c);
  const uint8_t *columns = malloc(spk_ceil_div(n_columns, 8));
  last_column = c + n;
  const uint32_t n_values = SET_BEFORE(c + n) - SET_BEFORE(c);
  __CPROVER_assume(n_values <= n && SET_BEFORE(c) <= SET_BEFORE(c + n) && SET_BEFORE(c + n) <= c + n);
  const int8_t *values = malloc(n_values), *const next = expand_few(malloc(n), n, columns, c, values);
  __CPROVER_assert(next == values + n_values, "so many values are read");
  REACHED(n_values > 5u);
  return 0;
}
