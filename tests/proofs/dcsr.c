/* SPDX-License-Identifier: Apache-2.0 */
/* dcsr: a tile of any bytes. scatter_group and extend have proofs of their own, which promise that they need no more
 * than what is asked here. */
#include "spk_dcsr.c"
#include "tile.h"

static void extend(uint8_t *deltas, uint32_t mask, uint32_t bit) {
  __CPROVER_assert(__CPROVER_w_ok(deltas, 16) && mask <= UINT16_MAX && bit >= 4u && bit <= 7u,
                   "bits 4 to 7 of 16 deltas");
}

static bool scatter_group(const uint8_t *deltas, uint32_t shift, uint32_t mask, uint32_t lanes, uint32_t base,
                          uint32_t slope, const uint8_t *values, uint32_t n, int8_t *dst) {
  __CPROVER_assert(lanes >= 1u && lanes <= 16u && slope <= 17u, "a group has up to 16 lanes");
  __CPROVER_assert(
      (shift == 0 || shift == 4u) && (mask == 15u || mask == 31u || mask == 63u || mask == 127u || mask == 255u),
      "a delta has 4 to 8 bits");
  __CPROVER_assert(shift == 0 || mask == 15u, "an upper nibble has 4");
  __CPROVER_assert(__CPROVER_r_ok(deltas, 16) && __CPROVER_r_ok(values, lanes), "deltas and values are there");
  __CPROVER_assert(!dst || __CPROVER_w_ok(dst, n), "so is the destination");
  (void)base;
  return nondet_any() & 1u;
}

DECODE_OR_VALIDATE(dcsr)
