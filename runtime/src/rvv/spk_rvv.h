/* SPDX-License-Identifier: Apache-2.0 */
/* What the decoders for RISC-V vectors share. Blobs and tensors are loaded and stored byte by byte: no alignment is
 * needed. Where something goes 16 bytes at a time, that is what the format has; the least vector holds them. */
#ifndef SPK_RVV_H
#define SPK_RVV_H

#include <riscv_vector.h>

#include "../spk_internal.h"

/* In front of a short loop that a compiler would make vectors of: it would need stack for them. */
#if defined(__clang__)
#define SPK_NO_VECTORS SPK_PRAGMA(clang loop vectorize(disable) unroll(disable))
#else
#define SPK_NO_VECTORS SPK_NO_UNROLL
#endif

/* n bytes, each at its own offset. */
SPK_INLINE void spk_store_at(int8_t *dst, const uint8_t *offsets, const uint8_t *values, size_t n) {
  SPK_NO_UNROLL
  while (n) {
    const size_t vl = __riscv_vsetvl_e8m4(n);
    const vuint8m4_t at = __riscv_vle8_v_u8m4(offsets, vl);
    __riscv_vsuxei8_v_u8m4((uint8_t *)dst, at, __riscv_vle8_v_u8m4(values, vl), vl);
    offsets += vl;
    values += vl;
    n -= vl;
  }
}

/* n bytes, each `stride` after the one before. */
SPK_INLINE void spk_store_strided(int8_t *dst, size_t stride, const uint8_t *values, size_t n) {
  SPK_NO_UNROLL
  while (n) {
    const size_t vl = __riscv_vsetvl_e8m1(n);
    __riscv_vsse8_v_u8m1((uint8_t *)dst, (ptrdiff_t)stride, __riscv_vle8_v_u8m1(values, vl), vl);
    dst += vl * stride;
    values += vl;
    n -= vl;
  }
}

/* Sums of the bytes of lanes 0..i of 16, for bytes whose sum is below 256. */
SPK_INLINE vuint8m1_t spk_prefix_sum(vuint8m1_t bytes) {
  const vuint8m1_t none = __riscv_vmv_v_x_u8m1(0, 16);
  bytes = __riscv_vadd_vv_u8m1(bytes, __riscv_vslideup_vx_u8m1(none, bytes, 1, 16), 16);
  bytes = __riscv_vadd_vv_u8m1(bytes, __riscv_vslideup_vx_u8m1(none, bytes, 2, 16), 16);
  bytes = __riscv_vadd_vv_u8m1(bytes, __riscv_vslideup_vx_u8m1(none, bytes, 4, 16), 16);
  return __riscv_vadd_vv_u8m1(bytes, __riscv_vslideup_vx_u8m1(none, bytes, 8, 16), 16);
}

/* The last one of 16 lanes. */
SPK_INLINE uint32_t spk_last_of_16(vuint8m1_t bytes) {
  return __riscv_vmv_x_s_u8m1_u8(__riscv_vslidedown_vx_u8m1(bytes, 15, 16));
}

#endif
