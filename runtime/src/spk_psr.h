/* SPDX-License-Identifier: Apache-2.0 */
/* The streams of a psr tile, for its scalar and its Helium decoder. docs/format.md, section 4. */
#ifndef SPK_PSR_H
#define SPK_PSR_H

#include "spk_internal.h"

enum { SPK_PSR_WHOLE = 255 }; /* the count of a block that is stored whole */

/* All of them move on while blocks are read. Every column has its value, so that one look at the columns serves both.
 */
typedef struct spk_psr_streams {
  const uint8_t *counts, *columns, *values;
  uint32_t columns_left, spare; /* spare: values that have no column, for blocks that are stored whole */
} spk_psr_streams;

/* Find the streams. Whether columns and values suffice shows only while they are read. */
SPK_INLINE bool spk_psr_open(const spk_tile *tile, spk_psr_streams *s) {
  spk_walk reader = {tile, 0};
  const uint8_t *header = spk_take(&reader, 4);
  if (!header) return false;
  s->columns_left = spk_load_u32(header);
  s->counts = spk_take(&reader, spk_ceil_div(tile->n, SPK_PSR_BLOCK));
  if (!s->counts) return false;
  s->columns = spk_take(&reader, s->columns_left);
  if (!s->columns) return false;
  s->values = tile->data + reader.pos;
  const uint32_t values_left = spk_left(&reader);
  if (values_left < s->columns_left) return false;
  s->spare = values_left - s->columns_left;
  return true;
}

#endif
