/* SPDX-License-Identifier: Apache-2.0 */
/* huffman on Helium: raw bits are added and values stored 16 at a time. Codes are read by lookups, as without vectors:
 * each waits for the one before. docs/format.md, section 10.
 */
#include "../spk_internal.h"

#if SPK_HELIUM
#include "../spk_huffman.h"
#include "spk_mve.h"

void spk_huffman_add_raw_bits(uint8_t *values, uint32_t count, const uint8_t *raw_bits, uint32_t value_raw) {
  if (value_raw == 4u) {
    for (; count >= 32u; count -= 32u, values += 32, raw_bits += 16) {
      const uint8x16_t raw = vldrbq_u8(raw_bits);
      vstrbq_u8(values, vaddq_u8(vldrbq_u8(values), vandq_u8(raw, vdupq_n_u8(15))));
      vstrbq_u8(values + 16, vaddq_u8(vldrbq_u8(values + 16), vshrq_n_u8(raw, 4)));
    }
  } else {
    for (; count >= 64u; count -= 64u, values += 64, raw_bits += 16) {
      const uint8x16_t raw = vldrbq_u8(raw_bits), mask = vdupq_n_u8(3);
      vstrbq_u8(values, vaddq_u8(vldrbq_u8(values), vandq_u8(raw, mask)));
      vstrbq_u8(values + 16, vaddq_u8(vldrbq_u8(values + 16), vandq_u8(vshrq_n_u8(raw, 2), mask)));
      vstrbq_u8(values + 32, vaddq_u8(vldrbq_u8(values + 32), vandq_u8(vshrq_n_u8(raw, 4), mask)));
      vstrbq_u8(values + 48, vaddq_u8(vldrbq_u8(values + 48), vshrq_n_u8(raw, 6)));
    }
  }
  spk_huffman_add_last_raw_bits(values, count, raw_bits, value_raw);
}

/* 16 values whose offsets may not fit a byte. */
SPK_NOINLINE static bool store_16(int8_t *dst, uint32_t n, uint32_t *position, const uint8_t *gaps,
                                  const uint8_t *values) {
  return spk_huffman_store(dst, n, position, gaps, values, 16);
}

bool spk_huffman_scatter(int8_t *dst, uint32_t n, uint32_t *position, const uint8_t *gaps, const uint8_t *values,
                         uint32_t count) {
  uint32_t at = *position;
  for (; count >= 16u; count -= 16u, gaps += 16, values += 16) {
    const uint8x16_t gap = vldrbq_u8(gaps);
    const uint32_t sum = vaddvq_u8(gap);
    if (sum > 255u) {
      if (!store_16(dst, n, &at, gaps, values)) return false;
      continue;
    }
    int8_t *const before = dst - 1 + at;
    at += sum;
    if (at > n) return false;
    vstrbq_scatter_offset_u8((uint8_t *)before, spk_prefix_sum(gap), vldrbq_u8(values));
  }
  *position = at;
  return spk_huffman_store(dst, n, position, gaps, values, count);
}

#endif
