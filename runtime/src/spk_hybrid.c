/* SPDX-License-Identifier: Apache-2.0 */
/* hybrid: groups of equidistant elements, the remainder in dcsr. docs/format.md, section 7. */
#include "spk_hybrid.h"

#include "spk_dcsr.h"

#ifndef SPK_WITHOUT_HYBRID
#if SPK_RVV
#include "rvv/spk_rvv.h"
#endif

bool spk_hybrid_walk_class(spk_hybrid_streams *s, uint32_t record, uint32_t n, int8_t *dst) {
  const uint32_t size = record & 0xFFu, first_stride = s->first_stride;
  const bool wide = s->wide;
  const uint8_t *values = s->values, *codes = s->codes, *distances = s->distances;
  const uint8_t *const end = s->distances_end;
  uint32_t start = 0, pair = 0; /* start <= n + 255: sums with it do not overflow */
  for (uint32_t g = 0; g < record >> 8; g++) {
    uint32_t byte;
    SPK_NO_UNROLL
    do {
      if (distances == end || start > n) return false;
      byte = *distances++;
      start += byte;
    } while (byte == SPK_HYBRID_CONTINUES);

    uint32_t stride = first_stride;
    if (wide) {
      stride += *codes++;
    } else {
      pair = g % 2u == 0 ? *codes++ : pair << 4;
      stride += pair >> 4 & 15u;
    }
    if (start + (size - 1u) * stride >= n) return false;
#if SPK_RVV
    if (dst) {
      spk_store_strided(dst + start, stride, values, size);
      values += size;
    }
#else
    if (dst) {
      int8_t *slot = dst + start; /* unrolled, the loop would take registers from the one around it */
      SPK_NO_UNROLL
      for (uint32_t left = size; left; left--) {
        *slot = (int8_t)*values++;
        slot += stride;
      }
    }
#endif
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
    const uint32_t record = spk_load_u32(s.classes + 4u * c);
    if (!spk_hybrid_take(&s, record) || !spk_hybrid_walk_class(&s, record, tile->n, dst)) return SPK_ERROR_STREAM;
  }
  return s.distances == s.distances_end ? spk_dcsr_scatter(&s.remainder, dst) : SPK_ERROR_STREAM;
}
#endif

spk_status spk_hybrid_validate(const spk_tile *tile) {
  spk_hybrid_streams s;
  if (!spk_hybrid_open(tile, &s)) return SPK_ERROR_STREAM;
  for (uint32_t c = 0; c < s.n_classes; c++) {
    const uint32_t record = spk_load_u32(s.classes + 4u * c);
    if (!spk_hybrid_take(&s, record) || !spk_hybrid_walk_class(&s, record, tile->n, NULL)) return SPK_ERROR_STREAM;
  }
  return s.distances == s.distances_end ? spk_dcsr_validate(&s.remainder) : SPK_ERROR_STREAM;
}

#endif
