/* SPDX-License-Identifier: Apache-2.0 */
/* rans: the elements of a lane whose bytes are all there, for any tables that rans_build.c allows and any number of
 * turns. */
#include "model.h"
#include "spk_rans.c"
#include "spk_rans.h"

int main(void) {
  static tables t; /* any, of gaps of at least 1, which rans_build.c proves */
  __CPROVER_havoc_object(&t);
  for (uint32_t i = 0; i < SPK_RANS_SLOTS; i++) __CPROVER_assume(t.gap[i] >> 16 >= 1u);
  spk_rans_streams s;
  lane l;
  uint32_t length, turns, end;
  ANY(s.n_gaps), ANY(s.gap_raw), ANY(s.jump), ANY(length), ANY(turns), ANY(l.number), ANY(l.x), ANY(l.position);
  __CPROVER_assume(s.gap_raw <= 4u && s.gap_raw != 3u && s.n_gaps >= 1u && s.n_gaps <= 255u && s.jump <= 15u);
  __CPROVER_assume(length >= 1u && length <= SPK_RANS_BLOCK && l.number < 8u && l.position <= length);
  __CPROVER_assume(s.n_gaps > 1u || s.gap_raw == 0); /* as walk_lane asks */
  const uint32_t in_turn = VALUE_RAW != 0 ? 8u / (VALUE_RAW + (VALUE_RAW == 0)) : 1u;
  __CPROVER_assume(turns >= 1u && turns <= SPK_RANS_BLOCK);
  /* of the raw bits, what lies from the lane's first byte on */
  l.next = malloc((size_t)2u * turns * in_turn);
  l.value_bits = malloc((size_t)8u * (turns - 1u) + 1u);
  l.gap_bits = malloc(s.gap_raw != 0 ? (size_t)(turns * in_turn - 1u) * s.gap_raw + 1u : 0);
  int8_t *dst = malloc(length);
  const block b = {&s, &t, dst, length};
#if VALUE_RAW == 4
  REACHED(some_of_4(&b, &l, turns));
#elif VALUE_RAW == 2
  REACHED(some_of_2(&b, &l, turns));
#else
  REACHED(some_of_0(&b, &l, turns));
#endif
  return 0;
}
