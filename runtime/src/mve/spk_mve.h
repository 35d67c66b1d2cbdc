/* SPDX-License-Identifier: Apache-2.0 */
/* What the Helium decoders share. Blobs and tensors are loaded and stored byte by byte: no alignment is needed. Only
 * the decoders' own tables, which are aligned, are loaded by larger lanes. */
#ifndef SPK_MVE_H
#define SPK_MVE_H

#include <arm_mve.h>

#include "../spk_internal.h"

/* Lane numbers: 0, 1, ..., 15. */
SPK_INLINE uint8x16_t spk_iota(void) { return vidupq_n_u8(0, 1); }

/* The nibbles of eight bytes, each upper one first. */
SPK_INLINE uint8x16_t spk_load_nibbles(const uint8_t *pairs) {
  const uint16x8_t bytes = vldrbq_u16(pairs); /* one in each halfword */
  const uint16x8_t nibbles = vsliq_n_u16(vshrq_n_u16(bytes, 4), bytes, 8);
  return vandq_u8(vreinterpretq_u8_u16(nibbles), vdupq_n_u8(15));
}

/* 128 zero bytes. Their stores reach as far as an immediate offset does. */
SPK_INLINE void spk_zero_128(int8_t *dst) {
  const int8x16_t zero = vdupq_n_s8(0);
  vstrbq_s8(dst, zero);
  vstrbq_s8(dst + 16, zero);
  vstrbq_s8(dst + 32, zero);
  vstrbq_s8(dst + 48, zero);
  vstrbq_s8(dst + 64, zero);
  vstrbq_s8(dst + 80, zero);
  vstrbq_s8(dst + 96, zero);
  vstrbq_s8(dst + 112, zero);
}

/* memset(dst, 0, size), the tail predicated. 112 bytes are seven stores and the end of the loop: the last store moves
 * dst, which it can by no more than 127. */
SPK_INLINE void spk_fill_zero(int8_t *dst, uint32_t size) {
  const int8x16_t zero = vdupq_n_s8(0);
  SPK_NO_UNROLL
  for (uint32_t i = size / 112u; i; i--) {
    vstrbq_s8(dst + 96, zero);
    vstrbq_s8(dst + 80, zero);
    vstrbq_s8(dst + 64, zero);
    vstrbq_s8(dst + 48, zero);
    vstrbq_s8(dst + 32, zero);
    vstrbq_s8(dst + 16, zero);
    vstrbq_s8(dst, zero);
    dst += 112;
  }
  for (int32_t i = (int32_t)(size % 112u); i > 0; i -= 16) {
    vstrbq_p_s8(dst, zero, vctp8q((uint32_t)i));
    dst += 16;
  }
}

/* Sums of the bytes of lanes 0..i, for bytes whose sum is below 256: inside the words by a multiplication, then from
 * word to word. */
SPK_INLINE uint8x16_t spk_prefix_sum(uint8x16_t bytes) {
  const uint32_t ones = 0x01010101u;
  uint32_t none1 = 0, none2 = 0, none3 = 0;
  const uint32x4_t inside = vmulq_n_u32(vreinterpretq_u32_u8(bytes), ones);
  const uint32x4_t one_back = vshlcq_u32(vshrq_n_u32(inside, 24), &none1, 32);
  const uint32x4_t two_back = vshlcq_u32(one_back, &none2, 32);
  const uint32x4_t three_back = vshlcq_u32(two_back, &none3, 32);
  const uint32x4_t before = vaddq_u32(vaddq_u32(one_back, two_back), three_back);
  return vreinterpretq_u8_u32(vmlaq_n_u32(inside, before, ones));
}

#endif
