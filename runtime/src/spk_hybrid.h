/* SPDX-License-Identifier: Apache-2.0 */
/* The streams of a hybrid tile, for its scalar and its Helium decoder. docs/format.md, section 7. */
#ifndef SPK_HYBRID_H
#define SPK_HYBRID_H

#include "spk_internal.h"

enum { SPK_HYBRID_CONTINUES = 255 }; /* a distance byte that is not the last one of its distance */

typedef struct spk_hybrid_streams {
  uint32_t n_classes, first_stride;
  bool wide; /* stride codes of 8 bits */
  const uint8_t *classes;
  /* These move on while classes are read. */
  const uint8_t *values, *codes, *distances, *distances_end;
  uint32_t values_left, codes_left; /* what the classes that are left need; bytes */
  spk_tile remainder;
} spk_hybrid_streams;

/* Take the values and codes of a class from what is left. False where they do not suffice, which is so only where the
 * record has changed since the streams were found. */
SPK_INLINE bool spk_hybrid_take(spk_hybrid_streams *s, uint32_t record) {
  const uint32_t n_groups = record >> 8, size = record & 0xFFu;
  const uint32_t n_codes = s->wide ? n_groups : spk_ceil_div(n_groups, 2);
  if (size == 0 || n_codes > s->codes_left || n_groups > s->values_left / size) return false;
  s->codes_left -= n_codes;
  s->values_left -= n_groups * size;
  return true;
}

/* One class of groups; the record is that of the class. False where a position lies outside of the n elements, or the
 * distances end too early. Writes nothing where dst is null. */
bool spk_hybrid_walk_class(spk_hybrid_streams *s, uint32_t record, uint32_t n, int8_t *dst);

/* Find the streams. Whether the distances suffice shows only while they are read. */
SPK_INLINE bool spk_hybrid_open(const spk_tile *tile, spk_hybrid_streams *s) {
  spk_walk reader = {tile, 0};
  const uint8_t *header = spk_take(&reader, 8);
  if (!header) return false;
  s->n_classes = header[0];
  s->first_stride = header[1];
  s->wide = header[2] == 8u;
  if (s->first_stride == 0 || (header[2] != 4u && header[2] != 8u)) return false;
  s->classes = spk_take(&reader, 4u * s->n_classes);
  if (!s->classes) return false;

  uint64_t n_values = 0, n_codes = 0; /* bytes; at most 255 classes of 2^24 groups of 255 */
  for (uint32_t c = 0; c < s->n_classes; c++) {
    const uint32_t record = spk_load_u32(s->classes + 4u * c), n_groups = record >> 8;
    if ((record & 0xFFu) == 0) return false;
    n_values += (uint64_t)n_groups * (record & 0xFFu);
    n_codes += s->wide ? n_groups : spk_ceil_div(n_groups, 2);
  }
  if (n_values > tile->size || n_codes > tile->size) return false;
  s->values = spk_take(&reader, (uint32_t)n_values);
  if (!s->values) return false;
  s->codes = spk_take(&reader, (uint32_t)n_codes);
  if (!s->codes) return false;
  s->values_left = (uint32_t)n_values;
  s->codes_left = (uint32_t)n_codes;
  const uint32_t distances_size = spk_load_u32(header + 4);
  s->distances = spk_take(&reader, distances_size);
  if (!s->distances) return false;
  s->distances_end = s->distances + distances_size;
  s->remainder.data = tile->data + reader.pos;
  s->remainder.size = spk_left(&reader);
  s->remainder.n = tile->n;
  return true;
}

#endif
