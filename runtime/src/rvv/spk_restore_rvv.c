/* SPDX-License-Identifier: Apache-2.0 */
/* Prediction on RISC-V vectors: as many residuals at once as the distances allow. docs/format.md, section 2.1. */
#include "../spk_internal.h"

#if SPK_RVV && !defined(SPK_WITHOUT_TRANSFORMS)
#include "../spk_transforms.h"
#include "spk_rvv.h"

#define HALF_OF_SUM(a, b, n) __riscv_vaadd_vv_i8m2(a, b, __RISCV_VXRM_RDN, n)

SPK_INLINE vint8m2_t elements(uint32_t kind, vint8m2_t residuals, vint8m2_t a, vint8m2_t b, size_t n) {
  if (kind <= 1u) {
    const vbool4_t negate = __riscv_vmslt_vx_i8m2_b4(__riscv_vsadd_vv_i8m2(a, b, n), (int8_t)kind, n);
    return __riscv_vneg_v_i8m2_mu(negate, residuals, residuals, n);
  }
  vint8m2_t q = HALF_OF_SUM(a, b, n);
  if (kind == 3u) q = HALF_OF_SUM(q, __riscv_vsra_vx_i8m2(q, 1, n), n);
  if (kind == 2u) q = __riscv_vsra_vx_i8m2(q, 1, n);
  const vint8m2_t sum = __riscv_vadd_vv_i8m2(residuals, q, n);
  const vint8m2_t kept = __riscv_vmerge_vvm_i8m2(sum, q, __riscv_vmseq_vx_i8m2_b4(sum, 0, n), n);
  return __riscv_vmerge_vxm_i8m2(kept, 0, __riscv_vmseq_vx_i8m2_b4(residuals, 0, n), n);
}

SPK_INLINE void restore(uint32_t kind, int8_t *dst, uint32_t n, const int8_t *a, const int8_t *b, uint32_t lanes) {
  SPK_NO_UNROLL
  while (n) {
    if (lanes > n) lanes = n;
    const vint8m2_t residuals = __riscv_vle8_v_i8m2(dst, lanes);
    const vint8m2_t first = __riscv_vle8_v_i8m2(a, lanes), second = __riscv_vle8_v_i8m2(b, lanes);
    __riscv_vse8_v_i8m2(dst, elements(kind, residuals, first, second, lanes), lanes);
    dst += lanes;
    a += lanes;
    b += lanes;
    n -= lanes;
  }
}

void spk_restore_vectors(const spk_prediction *prediction, int8_t *dst, uint32_t n) {
  const uint32_t distance = prediction->distance, second = prediction->second, kind = prediction->kind;
  const uint32_t begin = distance > second ? distance : second;
  const uint32_t lanes = spk_min_u32((uint32_t)__riscv_vsetvlmax_e8m2(), spk_min_u32(distance, second));
  n -= begin;
  dst += begin;
  const int8_t *const a = dst - distance, *const b = dst - second;
  if (kind <= 1u) {
    restore(kind, dst, n, a, b, lanes);
  } else if (kind == 2u) {
    restore(2, dst, n, a, b, lanes);
  } else if (kind == 3u) {
    restore(3, dst, n, a, b, lanes);
  } else {
    restore(4, dst, n, a, b, lanes);
  }
}

#endif
