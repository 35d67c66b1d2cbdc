/* bitmap on Helium: 16 bits of the bitmap are the predicate of 16 lanes; a lane that is set gathers its value, which
 * lies as far on as there are bits set before it. docs/format.md, section 8.
 */
#include "../spk_internal.h"

#if SPK_HELIUM
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

/* GCC has no builtin for it. */
SPK_INLINE uint32_t reverse_bits(uint32_t word) {
  __asm__("rbit %0, %1" : "=r"(word) : "r"(word));
  return word;
}

/* 16 elements. previous points one byte before the next value, since the counts include the lane itself. */
SPK_INLINE const uint8_t *expand(uint32_t bits, const uint8_t *previous, int8_t *dst, uint8x16_t upper_half) {
  const uint32x4_t rows = vsetq_lane_u32(bits >> 5 & 0x7F8u, vdupq_n_u32(bits << 3 & 0x7F8u), 2); /* 8 bytes each */
  uint8x16_t offsets = vreinterpretq_u8_u64(vldrdq_gather_offset_u64(counts, vreinterpretq_u64_u32(rows)));
  offsets = vmlaq_n_u8(offsets, upper_half, vgetq_lane_u8(offsets, 7));
  vstrbq_u8((uint8_t *)dst, vldrbq_gather_offset_z_u8(previous, offsets, (mve_pred16_t)bits));
  return previous + vgetq_lane_u8(offsets, 15);
}

/* 8 elements or fewer, bit by bit. */
SPK_INLINE const uint8_t *expand_bits(uint32_t bits, uint32_t n, const uint8_t *values, int8_t *dst) {
  for (uint32_t i = 0; i < n; i++, bits <<= 1) dst[i] = (int8_t)(bits & 0x80u ? *values++ : 0);
  return values;
}

SPK_INLINE uint32_t count_bits(uint32_t byte) { return (uint32_t)(counts[byte] >> 56); }

spk_status spk_bitmap_decode(const spk_tile *tile, int8_t *dst) {
  spk_reader reader = {tile, 0};
  const uint8_t *bitmap = spk_take(&reader, spk_ceil_div(tile->n, 8));
  if (!bitmap) return SPK_ERROR_STREAM;
  const uint8_t *values = tile->data + reader.pos;
  const uint8_t *const end = tile->data + tile->size;
  uint32_t left = tile->n;

  /* Four bytes of the bitmap take at most 32 values. With bytes and bits reversed the first element is in bit 0. */
  if (end - values >= 32) {
    const uint8x16_t upper_half = vshrq_n_u8(spk_iota(), 3); /* 0 in lanes 0..7, 1 in lanes 8..15 */
    const uint8_t *previous = values - 1;
    for (uint32_t words = left / 32u; words && previous < end - 32; words--) {
      const uint32_t bits = reverse_bits(__builtin_bswap32(spk_load_u32(bitmap)));
      bitmap += 4;
      previous = expand(bits, previous, dst, upper_half);
      previous = expand(bits >> 16, previous, dst + 16, upper_half);
      dst += 32;
      left -= 32u;
    }
    values = previous + 1;
  }
  while (left) {
    const uint32_t n = spk_min_u32(left, 8), bits = *bitmap++;
    if (count_bits(bits) > (size_t)(end - values)) return SPK_ERROR_STREAM;
    values = expand_bits(bits, n, values, dst);
    dst += n;
    left -= n;
  }
  return SPK_OK;
}

#endif
