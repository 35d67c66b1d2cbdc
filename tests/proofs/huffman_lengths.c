/* SPDX-License-Identifier: Apache-2.0 */
/* huffman: the lengths of both codes, from their fields or their short description, as huffman_open.c finds them.
 * Reading a description and building a code have proofs of their own. */
#include "spk_huffman.c"
#include "tile.h"

static void described(const spk_description *d, const uint8_t *entries, uint8_t *to, uint32_t n) {
  __CPROVER_assert(n >= 1u && n <= 256u && __CPROVER_w_ok(to, n), "there is room for the lengths");
  __CPROVER_assert(__CPROVER_r_ok(entries, 16), "and what ranks stand for");
  __CPROVER_assert(d->n_bits <= 8u * 255u && __CPROVER_r_ok(d->data, d->n_bits / 8u), "the description is there");
}
bool spk_read_ranks(spk_description *d, const uint8_t *entries, uint8_t *to, uint32_t n) {
  described(d, entries, to, n);
  return nondet_any() & 1u;
}
bool spk_read_value_ranks(spk_description *d, const spk_value_bins *bins, const uint8_t *entries, uint8_t *to,
                          uint32_t n) {
  __CPROVER_assert(n - bins->n_positive - bins->n_negative <= 1u, "values, and one for 0");
  described(d, entries, to, n);
  return nondet_any() & 1u;
}
static bool build(decoder *d, const uint8_t *unsorted, uint32_t n, const span *spans) {
  __CPROVER_assert(n >= 2u && n <= 256u && __CPROVER_r_ok(unsorted, n), "a code has lengths");
  __CPROVER_assert(spans[0].count + spans[1].count + spans[2].count == n, "and as many meanings");
  __CPROVER_assert(__CPROVER_w_ok(d->fours, sizeof *d->fours << INDEX_BITS), "the table has room");
  return nondet_any() & 1u;
}

int main(void) {
  spk_huffman_streams s;
  uint32_t n_described;
  ANY(s.n_gaps), ANY(s.n_values), ANY(s.bins.raw_bits), ANY(s.bins.n_positive), ANY(s.bins.n_negative);
  ANY(s.bins.first_positive), ANY(s.bins.first_negative), ANY(n_described), ANY(s.value_codes_size);
  ANY(s.positions_size);
  __CPROVER_assume(s.n_gaps <= 63u && s.n_values <= 256u && n_described <= 255u);
  __CPROVER_assume(s.bins.raw_bits <= 4u && s.bins.n_positive <= 255u && s.bins.n_negative <= 255u);
  __CPROVER_assume(s.bins.first_positive <= 255u && s.bins.first_negative <= 255u);
  __CPROVER_assume(s.n_values - s.bins.n_positive - s.bins.n_negative <= 1u);
  __CPROVER_assume(s.value_codes_size <= MOST && s.positions_size <= MOST);
  const uint32_t n_lengths = (s.n_gaps > 1u ? s.n_gaps : 0) + (s.n_values > 1u ? s.n_values : 0);
  s.lengths = malloc(n_described != 0 ? n_described : (n_lengths + 1u) / 2u);
  s.description = (spk_description){s.lengths, 0, 8u * n_described};
  s.value_codes = malloc(s.value_codes_size);
  s.positions = malloc(s.positions_size);
  decoder d, gap_decoder;
  value_table t;
  const bool values_open = open_values(&d, &t, &s);
  const bool gaps_open = s.n_gaps > 1u && open_gaps(&gap_decoder, t.fours, &s); /* only then do they have a code */
  REACHED(values_open && gaps_open && d.has_codes && n_described == 0);
  return 0;
}
