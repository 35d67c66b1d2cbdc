/* SPDX-License-Identifier: Apache-2.0 */
/* The streams of an rle tile, for its scalar and its Helium decoder. docs/format.md, section 5. */
#ifndef SPK_RLE_H
#define SPK_RLE_H

#include "spk_internal.h"

typedef struct spk_rle_streams {
  uint32_t k;
  const uint8_t *distances, *values;
} spk_rle_streams;

/* Find the streams, which are all of the tile. */
SPK_INLINE bool spk_rle_open(const spk_tile *tile, spk_rle_streams *s) {
  spk_walk reader = {tile, 0};
  const uint8_t *header = spk_take(&reader, 4);
  if (!header) return false;
  s->k = spk_load_u32(header);
  s->distances = spk_take(&reader, spk_ceil_div(s->k, 2));
  if (!s->distances) return false;
  s->values = spk_take(&reader, s->k);
  return s->values && spk_left(&reader) == 0;
}

#endif
