/* SPDX-License-Identifier: Apache-2.0 */
/* rans: both tables from any frequencies, described or not. What spk_ranks.c needs has proofs of its own. */
#include "model.h"
#include "spk_rans.h"

bool spk_read_ranks(spk_description *d, const uint8_t *entries, uint8_t *to, uint32_t n) {
  (void)d;
  __CPROVER_assert(n >= 1u && __CPROVER_w_ok(to, n) && __CPROVER_r_ok(entries, 16), "there is room for the ranks");
  __CPROVER_havoc_object(to);
  return nondet_any() & 1u;
}
bool spk_read_value_ranks(spk_description *d, const spk_value_bins *bins, const uint8_t *entries, uint8_t *to,
                          uint32_t n) {
  (void)d;
  __CPROVER_assert(n >= 2u && n - bins->n_positive - bins->n_negative <= 1u, "values, and one for 0");
  __CPROVER_assert(__CPROVER_w_ok(to, n) && __CPROVER_r_ok(entries, 16), "there is room for the ranks");
  __CPROVER_havoc_object(to);
  return nondet_any() & 1u;
}

#include "spk_rans.c"

static tables t;
static void fill(uint32_t *slot, uint32_t frequency, uint32_t meaning) {
  __CPROVER_assert(frequency <= 255u && meaning <= UINT16_MAX, "an entry has room for both");
  __CPROVER_assert(frequency == 0 || __CPROVER_w_ok(slot, frequency * sizeof *slot), "the table has the slots");
  /* The invariant of its loop says that they are those after the last ones, and the end that they are 256. */
  __CPROVER_assert(slot < t.gap || slot >= t.gap + SPK_RANS_SLOTS || meaning >= 1u, "gaps are at least 1");
}

int main(void) {
  spk_rans_streams s;
  ANY(s.n_gaps), ANY(s.n_values), ANY(s.jump), ANY(s.gap_raw), ANY(s.description_size);
  ANY(s.bins.raw_bits), ANY(s.bins.n_positive), ANY(s.bins.n_negative), ANY(s.bins.first_positive);
  ANY(s.bins.first_negative);
  __CPROVER_assume(s.n_gaps >= 1u && s.n_gaps <= 255u && s.n_values <= 256u && s.jump <= 15u);
  __CPROVER_assume(s.gap_raw <= 4u && s.bins.raw_bits <= 4u && s.bins.n_positive <= 255u && s.bins.n_negative <= 255u);
  __CPROVER_assume(s.bins.first_positive <= 255u && s.bins.first_negative <= 255u);
  __CPROVER_assume(s.n_values - s.bins.n_positive - s.bins.n_negative <= 1u && s.description_size <= 255u);
  __CPROVER_assume(s.description_size == 0 || s.n_gaps <= 64u);
  const uint32_t n_tables = (s.n_gaps > 1u ? s.n_gaps : 0) + (s.n_values > 1u ? s.n_values : 0);
  s.frequencies = malloc(s.description_size != 0 ? s.description_size : n_tables);
  REACHED(build(&s, &t) && s.n_gaps > 1u && s.n_values > 1u);
  return 0;
}
