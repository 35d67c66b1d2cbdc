/* SPDX-License-Identifier: Apache-2.0 */
/* A stand-in for spk_read_transforms: what read_transforms.c proves of it. */
#ifndef READ_TRANSFORMS_H
#define READ_TRANSFORMS_H

#include "model.h"
#include "spk_transforms.h"

const uint8_t *spk_read_transforms(spk_transforms *t, unsigned flags, uint32_t n, const uint8_t *p,
                                   const spk_payload *payload, uint32_t *n_bytes) {
  (void)flags, (void)n;
  const uint8_t *const end = payload->begin;
  __CPROVER_assert(__CPROVER_w_ok(t, sizeof *t) && __CPROVER_w_ok(n_bytes, sizeof *n_bytes), "there is room");
  __CPROVER_assert(__CPROVER_same_object(p, end) && p <= end, "the parameters begin before the payload");
  __CPROVER_assert(p == end || __CPROVER_r_ok(p, (size_t)(end - p)), "the header is there");
  const uint32_t there = spk_min_u32(payload->size, payload->at_hand);
  __CPROVER_assert(payload->size % 4u == 0 && (there == 0 || __CPROVER_r_ok(end, there)), "and the payload");
  size_t used;
  ANY(used), ANY(*n_bytes);
  __CPROVER_assume(used <= (size_t)(end - p) && *n_bytes <= payload->size && *n_bytes % 4u == 0);
  return nondet_any() & 1u ? p + used : NULL;
}

#endif
