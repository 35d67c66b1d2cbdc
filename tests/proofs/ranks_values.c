/* SPDX-License-Identifier: Apache-2.0 */
/* Short descriptions of both signs: where the ranks go. */
#include "model.h"
#include "spk_ranks.c"
#include "spk_ranks.h"

bool spk_read_ranks(spk_description *d, const uint8_t *entries, uint8_t *to, uint32_t n) {
  (void)d;
  __CPROVER_assert(n >= 1u && __CPROVER_w_ok(to, n) && __CPROVER_r_ok(entries, 16), "there is room for the ranks");
  return nondet_any() & 1u;
}

int main(void) {
  spk_description d;
  spk_value_bins bins;
  uint32_t n;
  ANY(bins.n_positive), ANY(bins.n_negative), ANY(n);
  __CPROVER_assume(bins.n_positive <= 255u && bins.n_negative <= 255u && n >= 2u && n <= 256u);
  __CPROVER_assume(n - bins.n_positive - bins.n_negative <= 1u);
  uint8_t data[8];
  __CPROVER_havoc_object(data);
  d.data = data, d.bit = 0, d.n_bits = 64;
  const uint8_t entries[16] = {0};
  uint8_t *to = malloc(n);
  REACHED(spk_read_value_ranks(&d, &bins, entries, to, n));
  return 0;
}
