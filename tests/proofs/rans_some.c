/* SPDX-License-Identifier: Apache-2.0 */
/* rans: the elements of a lane whose bytes are all there, for any tables that rans_build.c allows and any number of
 * turns. What a state is after a step matters to no address. */
#include "model.h"
#include "spk_rans.c"
#include "spk_rans.h"

SPK_INLINE uint32_t step(uint32_t entry, uint32_t x) {
  (void)entry, (void)x;
  return (uint32_t)nondet_any();
}

int main(void) {
  static tables t; /* any, of gaps of at least 1, which rans_build.c proves */
  __CPROVER_havoc_object(&t);
  for (uint32_t i = 0; i < SPK_RANS_SLOTS; i++) __CPROVER_assume(t.gap[i] >> 16 >= 1u);
  spk_rans_streams s;
  lane l;
  uint32_t length, turns;
  s.gap_raw = GAP_RAW;
  ANY(s.n_gaps), ANY(s.jump), ANY(length), ANY(turns), ANY(l.number), ANY(l.x), ANY(l.position);
  __CPROVER_assume(s.n_gaps >= 1u && s.n_gaps <= 255u && s.jump <= 15u);
  __CPROVER_assume(length >= 1u && length <= SPK_RANS_BLOCK && l.number < 8u && l.position <= length);
  __CPROVER_assume(s.n_gaps > 1u || s.gap_raw == 0); /* as walk_lane asks */
  const uint32_t in_turn = VALUE_RAW != 0 ? 8u / (VALUE_RAW + (VALUE_RAW == 0)) : 1u;
  __CPROVER_assume(turns >= 1u && turns * in_turn <= 8192u && turns <= 8192u);
  /* of the raw bits, what lies from the lane's first byte on */
  l.next = malloc((size_t)2u * turns * in_turn);
  l.value_bits = malloc((size_t)8u * (turns - 1u) + 1u);
  l.gap_bits = malloc(s.gap_raw != 0 ? (size_t)(turns * in_turn - 1u) * s.gap_raw + 1u : 0);
  int8_t *dst = malloc(length);
  const block b = {&s, &t, dst, length};
  const lane before = l;
#if VALUE_RAW == 4
  const bool inside = some_of_4(&b, &l, turns);
#elif VALUE_RAW == 2
  const bool inside = some_of_2(&b, &l, turns);
#else
  const bool inside = some_of_0(&b, &l, turns);
#endif
  if (inside) { /* rans_lane.c relies on this */
    __CPROVER_assert(l.position <= length, "the last element is inside");
    __CPROVER_assert(l.next >= before.next && (size_t)(l.next - before.next) <= 2u * turns * in_turn, "bytes are used");
    __CPROVER_assert(l.value_bits == before.value_bits + (VALUE_RAW != 0 ? 8u * turns : 0), "raw bits of values");
    __CPROVER_assert(l.gap_bits == before.gap_bits + GAP_RAW * turns * in_turn, "and of gaps");
  }
  REACHED(inside);
  return 0;
}
