/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of transforms, whatever bytes say, brought within the limits of docs/format.md, section 2.1. */
#ifndef REPAIR_TRANSFORMS_H
#define REPAIR_TRANSFORMS_H

#include <stdint.h>

enum { TRANSFORM_FIELDS = 8, BITMAPS = 3 };

typedef struct transforms {
  unsigned flags;
  unsigned n_fields;
  uint32_t fields[TRANSFORM_FIELDS];
  uint32_t n_bits[BITMAPS];
} transforms;

/* For n elements, from the flags of a header and the TRANSFORM_FIELDS integers that follow in it. No transforms where n
 * is too small for any. */
transforms repair_transforms(unsigned flags, const uint32_t *fields, uint32_t n);

/* Bytes of the bitmaps, alignment included. */
uint32_t bitmaps_size(const transforms *t);

/* Clears what follows the last bit of each bitmap. */
void repair_bitmaps(const transforms *t, uint8_t *bitmaps);

#endif
