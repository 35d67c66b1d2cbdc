/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: elements of a live row, cycle after cycle of its columns, which are COLUMNS. Single elements and whole
 * bytes of the bitmap have proofs of their own. How many elements are live before one of them is a function of which
 * the proof knows what is true of any count. */
#include "model.h"

uint32_t __CPROVER_uninterpreted_live_before(uint32_t element);
#define LIVE_BEFORE(element) __CPROVER_uninterpreted_live_before(element)
static int8_t *begin;
static const int8_t *values_begin;
static uint32_t first, all;

#include "spk_live.c"

/* What is known of n elements from dst on, whose columns begin with c. Returns how many are live. */
static uint32_t live_of(const int8_t *dst, uint32_t n, uint32_t c, const int8_t *values) {
  const uint32_t at = (uint32_t)(dst - begin);
  __CPROVER_assert(n <= all && at <= all - n && __CPROVER_w_ok(dst, n), "such elements are asked for");
  __CPROVER_assert(c <= COLUMNS && n <= COLUMNS - c, "they have columns,");
  __CPROVER_assert(n == 0 || (first + at) % COLUMNS == c, "which are those of their places");
  __CPROVER_assert(values == values_begin + LIVE_BEFORE(at), "their values come next");
  __CPROVER_assume(LIVE_BEFORE(at) <= LIVE_BEFORE(at + n) && LIVE_BEFORE(at + n) - LIVE_BEFORE(at) <= n);
  __CPROVER_assume(LIVE_BEFORE(at + n) <= LIVE_BEFORE(all));
  return LIVE_BEFORE(at + n) - LIVE_BEFORE(at);
}
static const int8_t *expand_few(int8_t *dst, uint32_t n, const uint8_t *columns, uint32_t c, const int8_t *values) {
  __CPROVER_assert(__CPROVER_r_ok(columns, (COLUMNS + 7u) / 8u), "the bitmap is there");
  return values + live_of(dst, n, c, values);
}
static const uint8_t *bitmap_begin;
const int8_t *spk_expand_bitmap(int8_t *dst, size_t n, const uint8_t *bitmap, const int8_t *values, size_t n_values) {
  __CPROVER_assert(n % 8u == 0 && __CPROVER_r_ok(bitmap, n / 8u), "the bitmap is there");
  __CPROVER_assert(n_values == 0 || __CPROVER_r_ok(values, n_values), "so are the values");
  const uint32_t n_live = live_of(dst, (uint32_t)n, 8u * (uint32_t)(bitmap - bitmap_begin), values);
  __CPROVER_assert(n_live <= n_values, "and there are enough");
  return values + n_live;
}

int main(void) {
  spk_live live;
  uint32_t more;
  ANY(first), ANY(all), ANY(more);
  __CPROVER_assume(first <= MOST && all <= MOST && more <= MOST);
  bitmap_begin = malloc((COLUMNS + 7u) / 8u);
  live.columns = bitmap_begin;
  live.n_columns = COLUMNS;
  begin = malloc(all);
  __CPROVER_assume(LIVE_BEFORE(0) == 0 && LIVE_BEFORE(all) <= all);
  values_begin = malloc(LIVE_BEFORE(all) + more);
  const int8_t *const end = values_begin + LIVE_BEFORE(all) + more;
  const int8_t *const next = expand_row(&live, begin, first, all, values_begin, end);
  __CPROVER_assert(next == values_begin + LIVE_BEFORE(all), "as many values are read as elements are live");
  REACHED(all > 3u * COLUMNS);
  return 0;
}
