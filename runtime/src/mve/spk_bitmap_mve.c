/* SPDX-License-Identifier: Apache-2.0 */
/* Values of fewer than 8 bits on Helium: a row of a group is a vector, so that its fields come by a shift and a mask.
 * docs/format.md, section 8.
 */
#include "../spk_bitmap.h"

#if SPK_HELIUM && !defined(SPK_WITHOUT_BITMAP)
#include "spk_mve.h"

SPK_INLINE uint8x16_t shift_right(uint8x16_t bytes, uint32_t bits) {
  if (bits == 4u) return vshrq_n_u8(bytes, 4);
  return bits == 2u ? vshrq_n_u8(bytes, 2) : vshrq_n_u8(bytes, 1);
}

/* What fields add to the values that are there, or to start. */
SPK_INLINE uint8x16_t add(uint8x16_t field, uint8x16_t values, uint32_t bits, bool is_first,
                          const spk_bitmap_plane *plane) {
  const uint8_t jump = (uint8_t)plane->jump, start = (uint8_t)plane->start, scale = (uint8_t)plane->scale;
  if (bits == 1u) {
    const uint8_t factor = (uint8_t)(scale + jump);
    return is_first ? vmlasq_n_u8(field, vdupq_n_u8(factor), start) : vmlaq_n_u8(values, field, factor);
  }
  const uint8x16_t sum = is_first ? vaddq_n_u8(field, start) : vmlaq_n_u8(values, field, scale);
  return vaddq_m_n_u8(sum, sum, jump, vcmpcsq_n_u8(field, (uint8_t)(1u << (bits - 1u))));
}

/* A last group, of fewer than 128 / bits values. */
SPK_NOINLINE static void unpack_last(uint8_t *values, uint32_t left, const uint8_t *fields, uint32_t bits,
                                     bool is_first, const spk_bitmap_plane *plane) {
  if (left == 0) return;
  const uint32_t lanes = spk_ceil_div(left, 8u / bits), mask = (1u << bits) - 1u;
  uint8x16_t bytes = vldrbq_z_u8(fields, vctp8q(lanes));
  SPK_NO_UNROLL
  for (int32_t n = (int32_t)left; n > 0; n -= (int32_t)lanes) {
    const mve_pred16_t there = vctp8q(spk_min_u32(lanes, (uint32_t)n));
    const uint8x16_t field = vandq_u8(bytes, vdupq_n_u8((uint8_t)mask));
    uint8x16_t sum = vdupq_n_u8((uint8_t)plane->start);
    if (!is_first) sum = vldrbq_z_u8(values, there);
    sum = vmlaq_n_u8(sum, field, (uint8_t)plane->scale);
    const mve_pred16_t upper = vcmpcsq_n_u8(field, (uint8_t)(1u << (bits - 1u)));
    vstrbq_p_u8(values, vaddq_m_n_u8(sum, sum, (uint8_t)plane->jump, upper), there);
    values += lanes;
    bytes = vshlq_r_u8(bytes, -(int32_t)bits);
  }
}

SPK_INLINE void unpack(uint8_t *values, uint32_t n, const uint8_t *fields, uint32_t bits, bool is_first,
                       const spk_bitmap_plane *plane) {
  const uint32_t in_group = 128u / bits;
  const uint8x16_t mask = vdupq_n_u8((uint8_t)((1u << bits) - 1u)), none = vdupq_n_u8(0);
  SPK_NO_UNROLL
  for (uint32_t groups = n / in_group; groups; groups--) {
    uint8x16_t bytes = vldrbq_u8(fields);
    fields += 16;
    if (bits == 1u) {
      SPK_NO_UNROLL
      for (uint32_t rows = 8; rows; rows--) {
        const uint8x16_t field = vandq_u8(bytes, mask);
        vstrbq_u8(values, add(field, is_first ? none : vldrbq_u8(values), bits, is_first, plane));
        values += 16;
        bytes = shift_right(bytes, bits);
      }
      continue;
    }
#pragma GCC unroll 4
    for (uint32_t row = 0; row < 8u / bits; row++) {
      const uint8x16_t field = row + 1u < 8u / bits ? vandq_u8(bytes, mask) : bytes;
      vstrbq_u8(values, add(field, is_first ? none : vldrbq_u8(values), bits, is_first, plane));
      values += 16;
      bytes = shift_right(bytes, bits);
    }
  }
  unpack_last(values, n % in_group, fields, bits, is_first, plane);
}

SPK_BITMAP_UNPACK_WITH(unpack)

#endif
