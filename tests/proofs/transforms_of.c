/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: how a decoder finds the parameters again that spk_open has read, in any opened view. */
#include "spk_transforms.c"
#include "spk_transforms.h"
#include "varint.h"
#include "view.h"

const uint8_t *spk_read_transforms(spk_transforms *t, unsigned flags, uint32_t n, const uint8_t *p,
                                   const spk_payload *payload, uint32_t *n_bytes) {
  (void)flags, (void)n;
  const uint8_t *const end = payload->begin;
  __CPROVER_assert(__CPROVER_w_ok(t, sizeof *t) && __CPROVER_w_ok(n_bytes, sizeof *n_bytes), "there is room");
  __CPROVER_assert(__CPROVER_same_object(p, end) && p <= end, "the parameters begin before the payload");
  __CPROVER_assert(p == end || __CPROVER_r_ok(p, (size_t)(end - p)), "the header is there");
  const uint32_t there = spk_min_u32(payload->size, payload->at_hand);
  __CPROVER_assert(payload->size % 4u == 0 && (there == 0 || __CPROVER_r_ok(end, there)), "and the payload");
  return nondet_any() & 1u ? p : NULL;
}

int main(void) {
  const spk_view v = any_view();
  spk_transforms t;
  REACHED(transforms_of(&v, &t));
  return 0;
}
