/* SPDX-License-Identifier: Apache-2.0 */
/* rans: the streams of a tile of any bytes, and what the other proofs of rans assume of them. */
#include "spk_rans.c"
#include "spk_rans.h"
#include "tile.h"

int main(void) {
  const spk_tile tile = any_tile();
  spk_rans_streams s;
  if (!spk_rans_open(&tile, &s)) return 0;
  __CPROVER_assert(s.value_raw == 0 || s.value_raw == 2u || s.value_raw == 4u, "raw bits of values");
  __CPROVER_assert(s.gap_raw <= 4u && s.gap_raw != 3u && s.jump <= 15u, "raw bits of gaps");
  __CPROVER_assert(s.n_gaps >= 1u && s.n_gaps <= 255u && s.n_values <= 256u, "numbers of symbols");
  __CPROVER_assert(s.n_values - s.bins.n_positive - s.bins.n_negative <= 1u, "values, and one for 0");
  const uint32_t n_tables = (s.n_gaps > 1u ? s.n_gaps : 0) + (s.n_values > 1u ? s.n_values : 0);
  const uint32_t n_described = s.description_size != 0 ? s.description_size : n_tables;
  __CPROVER_assert(n_described == 0 || __CPROVER_r_ok(s.frequencies, n_described), "the frequencies are there");
  __CPROVER_assert(s.description_size <= 255u && (s.description_size == 0 || s.n_gaps <= 64u),
                   "described gaps are few");
  __CPROVER_assert(s.block_size == 65520u || s.block_size == 32760u, "the size of a block");
  __CPROVER_assert(s.record_size == 18u + 8u * (s.end_bytes + s.size_bytes), "the size of a record");
  const uint32_t n_blocks = spk_ceil_div(tile.n, s.block_size);
  __CPROVER_assert(__CPROVER_r_ok(s.record, n_blocks * s.record_size), "the records are there");
  const size_t n_bytes = (size_t)(s.bytes_end - s.bytes);
  __CPROVER_assert(s.bytes_end >= s.bytes && (n_bytes == 0 || __CPROVER_r_ok(s.bytes, n_bytes)), "so are the lanes");
  __CPROVER_assert(s.value_bytes_left == 0 || __CPROVER_r_ok(s.value_bits, s.value_bytes_left),
                   "so are raw bits of values");
  __CPROVER_assert(s.gap_bytes_left == 0 || __CPROVER_r_ok(s.gap_bits, s.gap_bytes_left), "and of gaps");
  REACHED(n_blocks > 1u);
  return 0;
}
