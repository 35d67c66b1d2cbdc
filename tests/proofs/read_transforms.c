/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of transforms, from any bytes of a header, and what the proofs of the steps assume of them. */
#include "model.h"
#include "spk_transforms.c"
#include "spk_transforms.h"
#include "varint.h"

int main(void) {
  uint32_t n, header, size, at_hand, n_bytes;
  unsigned flags;
  ANY(n), ANY(header), ANY(size), ANY(at_hand), ANY(flags);
  __CPROVER_assume(header <= MOST && size <= MOST && size % 4u == 0 && n <= MOST);
  const uint8_t *blob = malloc((size_t)header + size);
  const spk_payload payload = {blob + header, size, at_hand};
  spk_transforms t;
  const uint8_t *end = spk_read_transforms(&t, flags, n, blob, &payload, &n_bytes);
  __CPROVER_assert(n_bytes <= size && n_bytes % 4u == 0, "bitmaps are in the payload");
  if (!end) return 0;
  __CPROVER_assert(__CPROVER_same_object(end, blob) && blob <= end && end <= blob + header, "it ends in the header");
  const spk_live *const live = &t.live;
  __CPROVER_assert(live->row >= 1u && live->row <= n, "rows are of elements");
  __CPROVER_assert(!live->rows || __CPROVER_r_ok(live->rows, (n / live->row + 7u) / 8u), "their bitmap is there");
  __CPROVER_assert(!live->columns || __CPROVER_r_ok(live->columns, (live->n_columns + 7u) / 8u), "that of columns too");
  __CPROVER_assert(live->n_columns >= 1u && live->n_units >= 1u && live->unit >= 1u, "nothing is divided by 0");
  __CPROVER_assert(!live->classes || __CPROVER_r_ok(live->classes, (live->n_units + 7u) / 8u), "and that of classes");
  /* What live.h assumes. */
  __CPROVER_assert(live->rows ? n % live->row == 0 : live->row == n, "rows are all of the tensor");
  __CPROVER_assert(live->columns ? live->n_columns <= n && live->row % live->n_columns == 0 : live->n_columns == 1u,
                   "columns are all of a row");
  __CPROVER_assert(!live->classes || (live->unit <= n && live->n_units >= 2u && live->n_units <= n / live->unit),
                   "units are of the tensor");
  __CPROVER_assert(t.prediction.kind <= 4u, "kinds are known");
  __CPROVER_assert((t.prediction.distance == 0) == (t.prediction.second == 0),
                   "both distances are at least 1, or none");
  REACHED(live->rows && live->columns && live->classes && t.prediction.distance > 1u);
  return 0;
}
