/* SPDX-License-Identifier: Apache-2.0 */
/* hybrid: one class of groups, whose values and codes are there as spk_hybrid_take has checked. */
#include "spk_hybrid.c"
#include "tile.h"

int main(void) {
  spk_hybrid_streams s;
  uint32_t record, n, n_distances;
  ANY(record), ANY(n), ANY(n_distances), ANY(s.first_stride), ANY(s.wide);
#ifdef GROUP
  record = (record & ~UINT32_C(255)) | GROUP;
#endif
  const uint32_t n_groups = record >> 8, size = record & 255u;
  __CPROVER_assume(size >= 1u && s.first_stride >= 1u && s.first_stride <= 255u && n >= 1u && n <= MOST);
  __CPROVER_assume(n_groups <= MOST && n_distances <= MOST);
  const uint8_t *distances = malloc(n_distances);
  s.values = malloc(n_groups * size);
  s.codes = malloc(s.wide ? n_groups : (n_groups + 1u) / 2u);
  s.distances = distances;
  s.distances_end = distances + n_distances;
  int8_t *dst = DECODES ? malloc(n) : NULL;
  const bool inside = spk_hybrid_walk_class(&s, record, n, dst);
  if (inside) {
    __CPROVER_assert(s.distances >= distances && s.distances <= s.distances_end, "distances stay in their stream");
  }
  REACHED(inside && n_groups > 1u);
  return 0;
}
