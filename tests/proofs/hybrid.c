/* SPDX-License-Identifier: Apache-2.0 */
/* hybrid: a tile of any bytes. What a class takes, its groups, and the remainder, which is a dcsr tile, have proofs of
 * their own, which promise that they need no more than what is asked here. */
#include "spk_hybrid.c"
#include "tile.h"

static uint32_t taken_values, taken_codes;
static bool spk_hybrid_take(spk_hybrid_streams *s, uint32_t record) {
  ANY(taken_values), ANY(taken_codes);
  if ((record & 255u) == 0 || taken_values > s->values_left || taken_codes > s->codes_left) return false;
  s->values_left -= taken_values;
  s->codes_left -= taken_codes;
  return true;
}

bool spk_hybrid_walk_class(spk_hybrid_streams *s, uint32_t record, uint32_t n, int8_t *dst) {
  __CPROVER_assert((record & 255u) != 0 && s->first_stride >= 1u && s->first_stride <= 255u, "nothing is 0");
  __CPROVER_assert(taken_values == 0 || __CPROVER_r_ok(s->values, taken_values), "the values are there");
  __CPROVER_assert(taken_codes == 0 || __CPROVER_r_ok(s->codes, taken_codes), "the codes are there");
  __CPROVER_assert(s->distances <= s->distances_end, "distances do not end before they begin");
  const size_t distances_left = (size_t)(s->distances_end - s->distances);
  __CPROVER_assert(distances_left == 0 || __CPROVER_r_ok(s->distances, distances_left), "the distances are there");
  __CPROVER_assert(!dst || __CPROVER_w_ok(dst, n), "so is the destination");
  size_t used;
  ANY(used);
  __CPROVER_assume(used <= distances_left);
  s->values += taken_values;
  s->codes += taken_codes;
  s->distances += used;
  return nondet_any() & 1u;
}

spk_status spk_dcsr_scatter(const spk_tile *tile, int8_t *dst) {
  __CPROVER_assert(tile->size == 0 || __CPROVER_r_ok(tile->data, tile->size), "the remainder is there");
  __CPROVER_assert(__CPROVER_w_ok(dst, tile->n), "so is the destination");
  __CPROVER_assert(tile->size % 4u == 0, "it is whole words");
  return (spk_status)(nondet_any() % 13u);
}

spk_status spk_dcsr_validate(const spk_tile *tile) {
  __CPROVER_assert(tile->size == 0 || __CPROVER_r_ok(tile->data, tile->size), "the remainder is there");
  return (spk_status)(nondet_any() % 13u);
}

DECODE_OR_VALIDATE(hybrid)
