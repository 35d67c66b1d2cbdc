/* SPDX-License-Identifier: Apache-2.0 */
/* Prediction on Helium: 16 residuals at once, or as many as lie between an element and the nearer of those that
 * predict it. docs/format.md, section 2.1.
 */
#include "../spk_internal.h"

#if SPK_HELIUM
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

SPK_INLINE void restore(uint32_t kind, int8_t *dst, uint32_t n, const int8_t *a, const int8_t *b, uint32_t step) {
  for (int32_t left = (int32_t)n; left > 0; left -= (int32_t)step) {
    const mve_pred16_t lanes = vctp8q(step < 16u && (uint32_t)left > step ? step : (uint32_t)left);
    const int8x16_t residuals = vldrbq_z_s8(dst, lanes);
    vstrbq_p_s8(dst, elements(kind, residuals, vldrbq_z_s8(a, lanes), vldrbq_z_s8(b, lanes)), lanes);
    dst += step;
    a += step;
    b += step;
  }
}

void spk_restore(const spk_prediction *prediction, int8_t *dst, uint32_t n) {
  const uint32_t distance = prediction->distance, second = prediction->second;
  const uint32_t begin = distance > second ? distance : second, step = spk_min_u32(distance, second);
  if (n <= begin) return;
  n -= begin;
  dst += begin;
  const int8_t *const a = dst - distance, *const b = dst - second;
  if (step < 16u) {
    restore(prediction->kind, dst, n, a, b, step);
    return;
  }
  switch (prediction->kind) {
    case 0:
    case 1:
      restore(prediction->kind, dst, n, a, b, 16);
      break;
    case 2:
      restore(2, dst, n, a, b, 16);
      break;
    case 3:
      restore(3, dst, n, a, b, 16);
      break;
    default:
      restore(4, dst, n, a, b, 16);
      break;
  }
}

#endif
