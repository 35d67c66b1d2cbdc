/* SPDX-License-Identifier: Apache-2.0 */
/* The expansion of bitmaps on Helium: 16 bits of the bitmap are the predicate of 16 lanes; a lane that is
 * set gathers its value, which lies as far on as there are bits set before it. docs/format.md, section 8.
 */
#include "../spk_internal.h"

#if SPK_HELIUM && SPK_EXPANDS_BITMAPS
#include "spk_mve.h"

/* For each byte of a bitmap, first element in the least significant bit: byte i counts the bits set in 0..i. 2 KiB. */
#define BIT(b, i) ((uint64_t)((b) >> (i) & 1u) << 8 * (i))
#define COUNTS(b)                                                                                    \
  ((BIT(b, 0) | BIT(b, 1) | BIT(b, 2) | BIT(b, 3) | BIT(b, 4) | BIT(b, 5) | BIT(b, 6) | BIT(b, 7)) * \
   UINT64_C(0x0101010101010101))
#define COUNTS4(b) COUNTS(b), COUNTS(b + 1u), COUNTS(b + 2u), COUNTS(b + 3u)
#define COUNTS16(b) COUNTS4(b), COUNTS4(b + 4u), COUNTS4(b + 8u), COUNTS4(b + 12u)
#define COUNTS64(b) COUNTS16(b), COUNTS16(b + 16u), COUNTS16(b + 32u), COUNTS16(b + 48u)
static const uint64_t counts[256] = {COUNTS64(0u), COUNTS64(64u), COUNTS64(128u), COUNTS64(192u)};

/* GCC has no builtin for it, and Clang makes no low-overhead loop around assembly. */
SPK_INLINE uint32_t reverse_bits(uint32_t word) {
#if defined(__clang__)
  return __builtin_arm_rbit(word);
#else
  __asm__("rbit %0, %1" : "=r"(word) : "r"(word));
  return word;
#endif
}

/* For each of 16 bits, the first one in bit 0, how many are set up to it, itself included. */
SPK_INLINE uint8x16_t count_up_to(uint32_t bits, uint8x16_t upper_half) {
  const uint32x4_t rows = vsetq_lane_u32(bits >> 5 & 0x7F8u, vdupq_n_u32(bits << 3 & 0x7F8u), 2); /* 8 bytes each */
  const uint8x16_t in_byte = vreinterpretq_u8_u64(vldrdq_gather_offset_u64(counts, vreinterpretq_u64_u32(rows)));
  return vmlaq_n_u8(in_byte, upper_half, vgetq_lane_u8(in_byte, 7));
}

/* 16 elements. previous points one byte before the next value, since the counts include the lane itself; it is never
 * read itself. */
SPK_INLINE const uint8_t *expand(uint32_t bits, const uint8_t *previous, int8_t *dst, uint8x16_t upper_half) {
  const uint8x16_t offsets = count_up_to(bits, upper_half);
  vstrbq_u8((uint8_t *)dst, vldrbq_gather_offset_z_u8(previous, offsets, (mve_pred16_t)bits));
  return previous + vgetq_lane_u8(offsets, 15);
}

const int8_t *spk_expand_bitmap(int8_t *dst, size_t n, const uint8_t *bitmap, const int8_t *values, size_t n_values) {
  const uint8_t *next = (const uint8_t *)values;
  const uint8_t *const end = next + n_values;

  /* Four bytes of the bitmap take at most 32 values. With bytes and bits reversed the first element is in bit 0. */
  const uint8x16_t upper_half = vshrq_n_u8(spk_iota(), 3); /* 0 in lanes 0..7, 1 in lanes 8..15 */
  for (;;) {
    const size_t most = (size_t)(end - next) / 32u, words = n / 32u < most ? n / 32u : most;
    if (words == 0) break;
    const uint8_t *previous = next - 1;
    for (size_t i = words; i; i--) {
      const uint32_t bits = reverse_bits(__builtin_bswap32(spk_load_u32(bitmap)));
      bitmap += 4;
      previous = expand(bits, previous, dst, upper_half);
      previous = expand(bits >> 16, previous, dst + 16, upper_half);
      dst += 32;
    }
    next = previous + 1;
    n -= 32u * words;
  }
  while (n) {
    const uint32_t lanes = n < 16u ? (uint32_t)n : 16u;
    uint32_t bits = (uint32_t)*bitmap++ << 24;
    if (lanes > 8u) bits |= (uint32_t)*bitmap++ << 16;
    bits = reverse_bits(bits);
    const uint8x16_t offsets = count_up_to(bits, upper_half);
    const uint32_t count = vgetq_lane_u8(offsets, 15);
    if (count > (size_t)(end - next)) return NULL;
    const uint8x16_t elements = vldrbq_gather_offset_z_u8(next - 1, offsets, (mve_pred16_t)bits);
    vstrbq_p_u8((uint8_t *)dst, elements, vctp8q(lanes));
    next += count;
    dst += lanes;
    n -= lanes;
  }
  return (const int8_t *)next;
}

#endif
