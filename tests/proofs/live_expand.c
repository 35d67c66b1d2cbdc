/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: live elements spread over a tile, row after row. What is done with a row has proofs of its own. How many
 * elements of the tensor are live before one of them is a function of which the proof knows what is true of any count;
 * live_count.c and live_before.c prove that spk_live_between is such a count. Rows have ROW elements, or are all of the
 * tensor. */
#include "model.h"
#include "spk_internal.h"

uint32_t __CPROVER_uninterpreted_live_before(uint32_t element);
#define LIVE_BEFORE(element) __CPROVER_uninterpreted_live_before(element)
static int8_t *begin_of_tile;
static uint32_t first, all, row_asked;
static bool is_live;
/* The element in front of which there are so many rows, and i elements of the next one. */
#ifdef ROW
#define PLACE(row, i) ((row) * ROW + (i))
#else
#define PLACE(row, i) ((i) + (row) * 2u * MOST)
#endif

static void dead(int8_t *dst, uint32_t n);
#define memset(dst, zero, n) dead(dst, n)
#include "spk_live.c"

/* Which element of the tensor dst is, of n in a row. Their values come next, unless there are none. */
static uint32_t place(const int8_t *dst, uint32_t n) {
  const uint32_t at = (uint32_t)(dst - begin_of_tile);
  __CPROVER_assert(n <= all && at <= all - n && __CPROVER_w_ok(dst, n), "such elements are asked for");
#ifdef ROW
  __CPROVER_assert(row_asked * ROW <= first + at && first + at + n <= row_asked * ROW + ROW, "they are of this row");
#endif
  const uint32_t e = first + at;
  __CPROVER_assume(LIVE_BEFORE(e) <= LIVE_BEFORE(e + n) && LIVE_BEFORE(e + n) - LIVE_BEFORE(e) <= n);
  __CPROVER_assume(LIVE_BEFORE(e + n) <= LIVE_BEFORE(first + all));
  __CPROVER_assume(LIVE_BEFORE(first + all) - LIVE_BEFORE(e + n) <= first + all - (e + n));
  return e;
}
static void values_follow(uint32_t e, const int8_t *values) {
  const uint32_t left = LIVE_BEFORE(first + all) - LIVE_BEFORE(e);
  __CPROVER_assert(values == begin_of_tile + (all - left), "the values that are left end with the tile");
}

static void dead(int8_t *dst, uint32_t n) {
  const uint32_t e = place(dst, n);
  __CPROVER_assert(!is_live, "a dead row becomes 0");
  __CPROVER_assume(LIVE_BEFORE(e + n) == LIVE_BEFORE(e));
}
static bool is_set(const uint8_t *bits, uint32_t i) {
  __CPROVER_assert(__CPROVER_r_ok(bits + i / 8u, 1), "the bit is there");
  row_asked = i;
  is_live = nondet_any() & 1u;
  return is_live;
}
static void repeat_columns(spk_live *live, uint8_t *longer, uint32_t size) {
  __CPROVER_assert(__CPROVER_w_ok(longer, size) && size <= 64u, "there is room");
  (void)live;
}
static const int8_t *expand_row(const spk_live *live, int8_t *dst, uint32_t i, uint32_t n, const int8_t *values,
                                const int8_t *end) {
  const uint32_t e = place(dst, n);
  __CPROVER_assert(is_live && live->columns && end == begin_of_tile + all, "a live row has live columns");
#ifdef ROW
  __CPROVER_assert(i == e - row_asked * ROW, "they begin at that place of it");
#else
  __CPROVER_assert(i == e, "the row is all of the tensor");
#endif
  values_follow(e, values);
  return values + (LIVE_BEFORE(e + n) - LIVE_BEFORE(e));
}
static void move_down(int8_t *dst, const int8_t *src, uint32_t n) {
  const uint32_t e = place(dst, n);
  __CPROVER_assert(is_live, "all of a live row is moved");
  __CPROVER_assume(LIVE_BEFORE(e + n) - LIVE_BEFORE(e) == n);
  values_follow(e, src);
  __CPROVER_assert(dst <= src && __CPROVER_r_ok(src, n), "it is moved down, and there");
}

int main(void) {
  uint32_t whole;
  spk_live live;
  ANY(whole), ANY(first), ANY(all);
  __CPROVER_assume(whole >= 2u && whole <= MOST && first < whole && all >= 1u && all <= whole - first);
  is_live = true;
#ifdef ROW
  __CPROVER_assume(whole % ROW == 0);
  live.row = ROW;
  live.rows = malloc(spk_ceil_div(whole / ROW, 8));
#else
  live.row = whole;
  live.rows = NULL;
#endif
  static const uint8_t columns;
  live.columns = nondet_any() & 1u ? &columns : NULL;
  __CPROVER_assume(LIVE_BEFORE(first) <= LIVE_BEFORE(first + all));
  const uint32_t n_live = LIVE_BEFORE(first + all) - LIVE_BEFORE(first);
  __CPROVER_assume(n_live <= all && LIVE_BEFORE(first + all) <= first + all);
  begin_of_tile = malloc(all);
  spk_live_expand(&live, begin_of_tile, first, all, n_live);
  REACHED(n_live > 2u && all > 20u && live.columns);
  return 0;
}
