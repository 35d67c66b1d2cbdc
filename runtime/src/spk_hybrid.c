/* hybrid: groups of equidistant elements, the remainder in dcsr. docs/format.md, section 7. */
#include "spk_hybrid.h"

/* The values of a group, two at a time. Out of line, so that this loop and the one around it have registers. */
static SPK_NOINLINE const uint8_t *place_group(int8_t *slot, uint32_t stride, uint32_t size, const uint8_t *values) {
#if defined(__GNUC__) /* groups are short: no more than that */
#pragma GCC unroll 1
#endif
  for (uint32_t pairs = size / 2u; pairs; pairs--) {
    slot[0] = (int8_t)values[0];
    slot[stride] = (int8_t)values[1];
    slot += 2u * stride;
    values += 2;
  }
  if (size % 2u != 0) *slot = (int8_t)*values++;
  return values;
}

bool spk_hybrid_walk_class(spk_hybrid_streams *s, uint32_t record, uint32_t n, int8_t *dst) {
  const uint32_t size = record & 0xFFu, n_groups = record >> 8, first_stride = s->first_stride;
  const bool wide = s->wide;
  const uint8_t *values = s->values, *codes = s->codes, *distances = s->distances;
  if ((size_t)(s->distances_end - distances) < n_groups) return false;
  size_t spare = (size_t)(s->distances_end - distances) - n_groups; /* bytes beyond one for each group */
  uint32_t room = n, pair = 0;                                      /* room: elements from the start of a group on */
  for (uint32_t g = 0; g < n_groups; g++) {
    uint32_t byte = *distances++;
    if (byte > room) return false;
    room -= byte;
    while (byte == SPK_HYBRID_CONTINUES) {
      if (spare == 0) return false;
      spare--;
      byte = *distances++;
      if (byte > room) return false;
      room -= byte;
    }

    uint32_t stride = first_stride;
    if (wide) {
      stride += *codes++;
    } else {
      pair = g % 2u == 0 ? *codes++ : pair << 4;
      stride += pair >> 4 & 15u;
    }
    if ((size - 1u) * stride >= room) return false;
    if (dst) values = place_group(dst + (n - room), stride, size, values);
  }
  s->values = values;
  s->codes = codes;
  s->distances = distances;
  return true;
}

#if !SPK_HELIUM
spk_status spk_hybrid_decode(const spk_tile *tile, int8_t *dst) {
  spk_hybrid_streams s;
  if (!spk_hybrid_open(tile, &s)) return SPK_ERROR_STREAM;
  memset(dst, 0, tile->n);
  for (uint32_t c = 0; c < s.n_classes; c++) {
    if (!spk_hybrid_walk_class(&s, spk_load_u32(s.classes + 4u * c), tile->n, dst)) return SPK_ERROR_STREAM;
  }
  return s.distances == s.distances_end ? spk_dcsr_scatter(&s.remainder, dst) : SPK_ERROR_STREAM;
}
#endif

spk_status spk_hybrid_validate(const spk_tile *tile) {
  spk_hybrid_streams s;
  if (!spk_hybrid_open(tile, &s)) return SPK_ERROR_STREAM;
  for (uint32_t c = 0; c < s.n_classes; c++) {
    if (!spk_hybrid_walk_class(&s, spk_load_u32(s.classes + 4u * c), tile->n, NULL)) return SPK_ERROR_STREAM;
  }
  return s.distances == s.distances_end ? spk_dcsr_validate(&s.remainder) : SPK_ERROR_STREAM;
}
