/* SPDX-License-Identifier: Apache-2.0 */
/* The streams of a dcsr tile, for its scalar and its Helium decoder. docs/format.md, section 6. */
#ifndef SPK_DCSR_H
#define SPK_DCSR_H

#include "spk_internal.h"

typedef struct spk_dcsr_streams {
  uint32_t k, slope;
  const uint8_t *values, *deltas, *bitmaps, *bases;
  const uint8_t *extensions, *end; /* extensions moves on while groups are read */
} spk_dcsr_streams;

/* Decode a dcsr tile into an array that its caller has zeroed: the remainder of hybrid. */
spk_status spk_dcsr_scatter(const spk_tile *tile, int8_t *dst);

/* Find the streams. Whether the extensions suffice shows only while they are read. */
SPK_INLINE bool spk_dcsr_open(const spk_tile *tile, spk_dcsr_streams *s) {
  spk_walk reader = {tile, 0};
  const uint8_t *header = spk_take(&reader, 8);
  if (!header) return false;
  s->k = spk_load_u32(header);
  s->slope = header[4];
  const uint32_t n_groups = spk_ceil_div(s->k, SPK_DCSR_LANES);
  s->values = spk_take(&reader, s->k);
  if (!s->values) return false; /* k is now known to be small enough for the sums below */
  s->deltas = spk_take(&reader, spk_ceil_div(n_groups, 2) * SPK_DCSR_LANES);
  if (!s->deltas) return false;
  s->bitmaps = spk_take(&reader, spk_ceil_div(n_groups, 2));
  if (!s->bitmaps) return false;
  s->bases = spk_take(&reader, n_groups);
  if (!s->bases) return false;
  s->extensions = tile->data + reader.pos;
  s->end = tile->data + tile->size;
  return s->slope <= SPK_MAX_SLOPE;
}

#endif
