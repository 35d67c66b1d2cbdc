/* SPDX-License-Identifier: Apache-2.0 */
/* Short descriptions of tables: any bits, of at most 255 bytes, for at most 256 symbols. */
#include "model.h"
#include "spk_ranks.c"
#include "spk_ranks.h"

int main(void) {
  spk_description d;
  uint32_t n_bytes, n;
  ANY(n_bytes), ANY(n);
  __CPROVER_assume(n_bytes >= 1u && n_bytes <= 255u && n >= 1u && n <= 256u);
  d.data = malloc(n_bytes);
  d.n_bits = 8u * n_bytes;
  ANY(d.bit);
  __CPROVER_assume(d.bit <= 8u * 255u + 26u * 257u); /* a second list starts where the first one ended */
  const uint8_t entries[16] = {0};
  uint8_t *to = malloc(n);
  const bool ranks = spk_read_ranks(&d, entries, to, n);
  if (ranks) __CPROVER_assert(d.bit <= d.n_bits, "a description that is right has all its bits");
  REACHED(ranks);
  return 0;
}
