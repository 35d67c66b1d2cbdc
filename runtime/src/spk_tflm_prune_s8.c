/* SPDX-License-Identifier: Apache-2.0 */
/* spk_tflm_prune_s8, and the expansion of bitmaps four elements at a time, for cores without vectors. docs/format.md,
 * section 8.
 */
#include "spk_internal.h"

#ifndef SPK_WITHOUT_TFLM_PRUNE
spk_status spk_tflm_prune_s8(int8_t *dst, size_t n, const uint8_t *bitmap, size_t bitmap_size, const int8_t *values,
                             size_t n_values) {
  if (!dst || !bitmap || !values) return SPK_ERROR_ARGUMENT;
  if (bitmap_size < n / 8u + (n % 8u != 0)) return SPK_ERROR_STREAM;
  return spk_expand_bitmap(dst, n, bitmap, values, n_values) ? SPK_OK : SPK_ERROR_STREAM;
}
#endif

#if SPK_EXPANDS_BITMAPS && !SPK_HELIUM && !SPK_RVV

/* Value i as element e of four. */
#define PLACE(i, e) ((uint32_t)(uint8_t)values[i] << 8 * (e))
#define FOUR(word, n) \
  four = (word);      \
  values += (n);      \
  break

/* Four elements, the first in the highest of four bits. Returns where the values go on. */
SPK_INLINE const int8_t *expand_four(uint32_t bits, const int8_t *values, int8_t *dst) {
  uint32_t four;
  /* clang-format off */
  switch (bits & 15u) {
    case 0x0: FOUR(0, 0);
    case 0x1: FOUR(PLACE(0, 3), 1);
    case 0x2: FOUR(PLACE(0, 2), 1);
    case 0x3: FOUR(PLACE(0, 2) | PLACE(1, 3), 2);
    case 0x4: FOUR(PLACE(0, 1), 1);
    case 0x5: FOUR(PLACE(0, 1) | PLACE(1, 3), 2);
    case 0x6: FOUR(PLACE(0, 1) | PLACE(1, 2), 2);
    case 0x7: FOUR(PLACE(0, 1) | PLACE(1, 2) | PLACE(2, 3), 3);
    case 0x8: FOUR(PLACE(0, 0), 1);
    case 0x9: FOUR(PLACE(0, 0) | PLACE(1, 3), 2);
    case 0xA: FOUR(PLACE(0, 0) | PLACE(1, 2), 2);
    case 0xB: FOUR(PLACE(0, 0) | PLACE(1, 2) | PLACE(2, 3), 3);
    case 0xC: FOUR(PLACE(0, 0) | PLACE(1, 1), 2);
    case 0xD: FOUR(PLACE(0, 0) | PLACE(1, 1) | PLACE(2, 3), 3);
    case 0xE: FOUR(PLACE(0, 0) | PLACE(1, 1) | PLACE(2, 2), 3);
    default: FOUR(PLACE(0, 0) | PLACE(1, 1) | PLACE(2, 2) | PLACE(3, 3), 4);
  }
  /* clang-format on */
  spk_store_u32((uint8_t *)dst, four);
  return values;
}

const int8_t *spk_expand_bitmap(int8_t *dst, size_t n, const uint8_t *bitmap, const int8_t *values, size_t n_values) {
  const int8_t *const end = values + n_values;
  /* A byte takes at most 8 values, so these need no look at its bits. */
  for (; n >= 8u && end - values >= 8; n -= 8u, dst += 8) {
    const uint32_t bits = *bitmap++;
    values = expand_four(bits >> 4, values, dst);
    values = expand_four(bits, values, dst + 4);
  }
  for (; n; n -= n < 8u ? n : 8u) {
    uint32_t bits = *bitmap++;
    if (spk_count_bits(bits) > (size_t)(end - values)) return NULL;
    for (size_t i = 0; i < 8u && i < n; i++, bits <<= 1) *dst++ = (int8_t)(bits & 0x80u ? *values++ : 0);
  }
  return values;
}

#endif
