/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: how a decoder finds the parameters again that spk_open has read, in any opened view. */
#include "spk_transforms.c"
#include "spk_transforms.h"
#include "varint.h"
#include "view.h"

const uint8_t *spk_read_transforms(spk_transforms *t, unsigned flags, uint32_t n, const uint8_t *p,
                                   const uint8_t *payload, uint32_t size, uint32_t *n_bytes) {
  (void)t, (void)flags, (void)n, (void)n_bytes;
  __CPROVER_assert(p <= payload && (p == payload || __CPROVER_r_ok(p, (size_t)(payload - p))), "the header is there");
  __CPROVER_assert(size == 0 || __CPROVER_r_ok(payload, size), "and the payload");
  return nondet_any() & 1u ? p : NULL;
}

int main(void) {
  const spk_view v = any_view();
  spk_transforms t;
  REACHED(transforms_of(&v, &t));
  return 0;
}
