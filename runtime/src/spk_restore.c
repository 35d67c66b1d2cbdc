/* SPDX-License-Identifier: Apache-2.0 */
/* Prediction: elements of residuals, in place, in ascending order. docs/format.md, section 2.1. */
#include "spk_transforms.h"

#ifndef SPK_WITHOUT_TRANSFORMS

/* The element of a residual, where the two earlier elements are a and b. */
SPK_INLINE int8_t element(uint32_t kind, int32_t residual, int32_t a, int32_t b) {
  if (kind <= 1u) return (int8_t)(uint8_t)(a + b < (int32_t)kind ? -residual : residual);
  const int32_t half = (a + b) >> 1;
  const int32_t q = kind == 4u ? half : (kind == 3u ? half + (half >> 1) : half) >> 1;
  if (residual == 0) return 0;
  const int8_t sum = (int8_t)(uint8_t)(residual + q);
  return sum != 0 ? sum : (int8_t)q;
}

#if SPK_SIMD32
#include <arm_acle.h>

SPK_INLINE uint32_t load_four(const int8_t *p) {
  uint32_t word;
  __builtin_memcpy(&word, p, sizeof word); /* GCC would call memcpy where the program is freestanding */
  return word;
}

/* Four elements at once: they are bytes of a word, and comparisons set a flag for each. */
SPK_INLINE uint32_t four_elements(uint32_t kind, uint32_t residuals, uint32_t a, uint32_t b) {
  const uint32_t ones = 0x01010101u;
  if (kind <= 1u) {
    const uint32_t negative = (uint32_t)__ssub8(0, (int8x4_t)residuals);
    (void)__ssub8(__qadd8((int8x4_t)a, (int8x4_t)b), (int8x4_t)(ones * kind));
    return (uint32_t)__sel((uint8x4_t)residuals, (uint8x4_t)negative);
  }
  const int8x4_t half = __shadd8((int8x4_t)a, (int8x4_t)b);
  const int8x4_t q = kind == 4u ? half : __shadd8(half, kind == 3u ? __shadd8(half, 0) : 0);
  uint32_t sum = (uint32_t)__uadd8((uint8x4_t)residuals, (uint8x4_t)q);
  (void)__usub8((uint8x4_t)sum, (uint8x4_t)ones);
  sum = (uint32_t)__sel((uint8x4_t)sum, (uint8x4_t)q);
  (void)__usub8((uint8x4_t)residuals, (uint8x4_t)ones);
  return (uint32_t)__sel((uint8x4_t)sum, 0);
}

/* As many fours as n elements have. */
SPK_INLINE void restore_fours(uint32_t kind, int8_t *dst, uint32_t n, const int8_t *a, const int8_t *b) {
  SPK_NO_UNROLL
  for (; n >= 4u; n -= 4u) {
    spk_store_u32((uint8_t *)dst, four_elements(kind, load_four(dst), load_four(a), load_four(b)));
    dst += 4;
    a += 4;
    b += 4;
  }
}
#endif

void spk_restore(const spk_prediction *prediction, int8_t *dst, uint32_t n) {
  const uint32_t kind = prediction->kind, distance = prediction->distance, second = prediction->second;
  uint32_t i = distance > second ? distance : second;
  if (n <= i) return;
#if SPK_HELIUM || SPK_RVV
  if (distance >= SPK_VECTOR && second >= SPK_VECTOR) {
    spk_restore_vectors(prediction, dst, n);
    return;
  }
#endif
#if SPK_SIMD32
  if (distance >= 4u && second >= 4u) {
    int8_t *const w = dst + i;
    switch (kind) {
      case 0:
      case 1:
        restore_fours(kind, w, n - i, w - distance, w - second);
        break;
      case 2:
        restore_fours(2, w, n - i, w - distance, w - second);
        break;
      case 3:
        restore_fours(3, w, n - i, w - distance, w - second);
        break;
      default:
        restore_fours(4, w, n - i, w - distance, w - second);
        break;
    }
    i += (n - i) & ~3u;
  }
#endif
  SPK_NO_UNROLL
  for (; i < n; i++) dst[i] = element(kind, dst[i], dst[i - distance], dst[i - second]);
}

#endif
