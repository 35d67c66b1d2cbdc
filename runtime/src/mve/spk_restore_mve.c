/* SPDX-License-Identifier: Apache-2.0 */
/* Prediction on Helium: 16 residuals at once. docs/format.md, section 2.1. */
#include "../spk_internal.h"

#if SPK_HELIUM && !defined(SPK_WITHOUT_TRANSFORMS)
#include "../spk_transforms.h"
#include "spk_mve.h"

SPK_INLINE int8x16_t elements(uint32_t kind, int8x16_t residuals, int8x16_t a, int8x16_t b) {
  if (kind <= 1u) {
    const mve_pred16_t negate = vcmpltq_n_s8(vqaddq_s8(a, b), (int8_t)kind);
    return vnegq_m_s8(residuals, residuals, negate);
  }
  int8x16_t q = vhaddq_s8(a, b);
  if (kind == 3u) q = vhaddq_s8(q, vshrq_n_s8(q, 1));
  if (kind == 2u) q = vshrq_n_s8(q, 1);
  const int8x16_t sum = vaddq_s8(residuals, q);
  const int8x16_t kept = vpselq_s8(q, sum, vcmpeqq_n_s8(sum, 0));
  return vpselq_s8(residuals, kept, vcmpeqq_n_s8(residuals, 0));
}

/* Inlined for a constant kind, but for small code: there GCC 12 would end with an internal error. */
#if defined(__OPTIMIZE_SIZE__)
#define RESTORE static
#else
#define RESTORE SPK_INLINE
#endif

RESTORE void restore(uint32_t kind, int8_t *dst, uint32_t n, const int8_t *a, const int8_t *b) {
  for (int32_t left = (int32_t)n; left > 0; left -= SPK_VECTOR) {
    const mve_pred16_t lanes = vctp8q((uint32_t)left);
    const int8x16_t residuals = vldrbq_z_s8(dst, lanes);
    vstrbq_p_s8(dst, elements(kind, residuals, vldrbq_z_s8(a, lanes), vldrbq_z_s8(b, lanes)), lanes);
    dst += SPK_VECTOR;
    a += SPK_VECTOR;
    b += SPK_VECTOR;
  }
}

void spk_restore_vectors(const spk_prediction *prediction, int8_t *dst, uint32_t n) {
  const uint32_t distance = prediction->distance, second = prediction->second;
  const uint32_t begin = distance > second ? distance : second;
  n -= begin;
  dst += begin;
  const int8_t *const a = dst - distance, *const b = dst - second;
  switch (prediction->kind) {
    case 0:
    case 1:
      restore(prediction->kind, dst, n, a, b);
      break;
    case 2:
      restore(2, dst, n, a, b);
      break;
    case 3:
      restore(3, dst, n, a, b);
      break;
    default:
      restore(4, dst, n, a, b);
      break;
  }
}

#endif
