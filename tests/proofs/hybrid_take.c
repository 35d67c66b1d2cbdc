/* SPDX-License-Identifier: Apache-2.0 */
/* hybrid: what a class of groups of GROUP elements takes of the values and codes that are left. */
#include "spk_hybrid.h"
#include "tile.h"

int main(void) {
  spk_hybrid_streams s;
  uint32_t record;
  ANY(record), ANY(s.values_left), ANY(s.codes_left), ANY(s.wide);
  __CPROVER_assume(s.values_left <= MOST && s.codes_left <= MOST);
  record = (record & ~UINT32_C(255)) | GROUP;
  const uint32_t n_groups = record >> 8, values = s.values_left, codes = s.codes_left;
  if (!spk_hybrid_take(&s, record)) return 0;
  __CPROVER_assert((uint64_t)n_groups * GROUP <= values, "the values are there");
  __CPROVER_assert(s.values_left == values - n_groups * GROUP, "they are taken");
  const uint32_t n_codes = s.wide ? n_groups : (n_groups + 1u) / 2u;
  __CPROVER_assert(n_codes <= codes && s.codes_left == codes - n_codes, "so are the codes");
  REACHED(n_groups > 1u);
  return 0;
}
