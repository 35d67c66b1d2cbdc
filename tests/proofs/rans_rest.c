/* SPDX-License-Identifier: Apache-2.0 */
/* rans: any elements of a lane, one by one, for any tables that rans_build.c allows. */
#include "spk_rans.c"
#include "spk_rans.h"
#include "tile.h"

int main(void) {
  static tables t; /* any, of gaps of at least 1, which rans_build.c proves */
  __CPROVER_havoc_object(&t);
  for (uint32_t i = 0; i < SPK_RANS_SLOTS; i++) __CPROVER_assume(t.gap[i] >> 16 >= 1u);
  spk_rans_streams s;
  lane l;
  uint32_t length, n_bytes;
  ANY(s.n_gaps), ANY(s.n_values), ANY(s.gap_raw), ANY(s.jump), ANY(s.value_raw), ANY(length), ANY(n_bytes);
  ANY(l.number), ANY(l.x), ANY(l.position), ANY(l.count);
  ANY(s.bins.raw_bits), ANY(s.bins.n_positive), ANY(s.bins.n_negative), ANY(s.bins.first_positive);
  ANY(s.bins.first_negative);
  __CPROVER_assume(s.gap_raw <= 4u && s.gap_raw != 3u && s.n_gaps >= 1u && s.n_gaps <= 255u && s.jump <= 15u);
  __CPROVER_assume(s.value_raw == 0 || s.value_raw == 2u || s.value_raw == 4u);
  __CPROVER_assume(s.bins.raw_bits == s.value_raw && s.bins.n_positive <= 255u && s.bins.n_negative <= 255u);
  __CPROVER_assume(s.bins.first_positive <= 255u && s.bins.first_negative <= 255u && s.n_values <= 256u);
  __CPROVER_assume(length >= 1u && length <= SPK_RANS_BLOCK && l.number < 8u && l.position <= length);
  __CPROVER_assume(l.count <= 8192u && n_bytes <= UINT16_MAX); /* of at most 65535 elements in a block */
  /* of the raw bits, what lies from the lane's first byte on */
  const uint32_t value_rows = (l.count * s.value_raw + 7u) / 8u;
  l.next = malloc(n_bytes);
  l.end = l.next + n_bytes;
  l.value_bits = malloc(value_rows != 0 ? 8u * (value_rows - 1u) + 1u : 0);
  l.gap_bits = malloc(l.count * s.gap_raw != 0 ? (l.count - 1u) * s.gap_raw + 1u : 0);
  const block b = {&s, &t, DECODES ? malloc(length) : NULL, length};
  REACHED(all_elements(&b, &l));
  return 0;
}
