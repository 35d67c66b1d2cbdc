/* SPDX-License-Identifier: Apache-2.0 */
/* huffman: the streams of a tile of any bytes, and what the other proofs of huffman assume of them. */
#include "spk_huffman.c"
#include "tile.h"

int main(void) {
  const spk_tile tile = any_tile();
  spk_huffman_streams s;
  if (!open_streams(&tile, &s)) return 0;
  __CPROVER_assert(s.value_raw == 0 || s.value_raw == 2u || s.value_raw == 4u, "raw bits of values");
  __CPROVER_assert(s.n <= tile.n && s.n_gaps <= 63u && s.n_values <= 256u, "numbers of elements and symbols");
  __CPROVER_assert(s.n_values - s.bins.n_positive - s.bins.n_negative <= 1u, "values, and one for 0");
  const uint32_t n_lengths = (s.n_gaps > 1u ? s.n_gaps : 0) + (s.n_values > 1u ? s.n_values : 0);
  const uint32_t n_described = s.description.n_bits / 8u,
                 lengths_size = n_described ? n_described : (n_lengths + 1u) / 2u;
  __CPROVER_assert(lengths_size == 0 || __CPROVER_r_ok(s.lengths, lengths_size), "the lengths are there");
  __CPROVER_assert(s.description.data == s.lengths && n_described <= 255u, "or their description");
  __CPROVER_assert(s.positions_size == 0 || __CPROVER_r_ok(s.positions, s.positions_size), "so are positions");
  __CPROVER_assert(s.n_gaps != 0 || s.positions_size == tile.n / 8u + (tile.n % 8u != 0), "a bitmap of all elements");
  __CPROVER_assert(s.value_codes_size == 0 || __CPROVER_r_ok(s.value_codes, s.value_codes_size), "so are codes");
  const uint32_t raw_size = s.value_raw != 0 ? spk_ceil_div(s.n, 8u / s.value_raw) : 0;
  __CPROVER_assert(raw_size == 0 || __CPROVER_r_ok(s.value_bits, raw_size), "so are raw bits");
  REACHED(s.n > 256u && s.n_gaps > 1u && s.value_raw == 4u);
  return 0;
}
