/* SPDX-License-Identifier: Apache-2.0 */
/* The expansion of bitmaps on RISC-V vectors: the bits of the bitmap are a mask; an element that is set takes the value
 * whose number is how many are set before it. docs/format.md, section 8.
 */
#include "../spk_internal.h"

#if SPK_RVV && SPK_EXPANDS_BITMAPS
#include "spk_rvv.h"

/* The bits of a nibble in reverse order, as the upper nibble of a byte. */
static const uint8_t reversed[16] = {0x00, 0x80, 0x40, 0xC0, 0x20, 0xA0, 0x60, 0xE0,
                                     0x10, 0x90, 0x50, 0xD0, 0x30, 0xB0, 0x70, 0xF0};

/* Bytes with their first bit in the least significant place, which is where masks have it. */
SPK_INLINE vuint8m1_t reverse_bits(vuint8m1_t bytes, vuint8m1_t upper, vuint8m1_t lower, size_t n) {
  const vuint8m1_t low = __riscv_vand_vx_u8m1(bytes, 15, n), high = __riscv_vsrl_vx_u8m1(bytes, 4, n);
  return __riscv_vor_vv_u8m1(__riscv_vrgather_vv_u8m1(upper, low, n), __riscv_vrgather_vv_u8m1(lower, high, n), n);
}

const int8_t *spk_expand_bitmap(int8_t *dst, size_t n, const uint8_t *bitmap, const int8_t *values, size_t n_values) {
  const vuint8m1_t upper = __riscv_vle8_v_u8m1(reversed, 16), lower = __riscv_vsrl_vx_u8m1(upper, 4, 16);
  /* The time of a gather between registers grows with the square of how many it takes: two. Numbers fit a byte. */
  size_t lanes = __riscv_vsetvlmax_e8m2();
  if (lanes > 256u) lanes = 256u;
  SPK_NO_UNROLL
  while (n) {
    if (lanes > n) lanes = n;
    const size_t n_bytes = (lanes + 7u) / 8u;
    const vuint8m1_t bits = reverse_bits(__riscv_vle8_v_u8m1(bitmap, n_bytes), upper, lower, n_bytes);
    const vbool4_t mask = __riscv_vreinterpret_v_u8m1_b4(bits);
    size_t count = __riscv_vcpop_m_b4(mask, 8u * n_bytes); /* with bits behind the last element */
    SPK_KEEP(count); /* GCC 14 would go on with the vector length before, which lies in the same register */
    if (count > n_values) return NULL;
    const vuint8m2_t next = __riscv_vle8_v_u8m2((const uint8_t *)values, count);
    const vuint8m2_t numbers = __riscv_viota_m_u8m2(mask, lanes);
    const vuint8m2_t none = __riscv_vmv_v_x_u8m2(0, lanes);
    __riscv_vse8_v_u8m2((uint8_t *)dst, __riscv_vrgather_vv_u8m2_mu(mask, none, next, numbers, lanes), lanes);
    bitmap += n_bytes;
    values += count;
    n_values -= count;
    dst += lanes;
    n -= lanes;
  }
  return values;
}

#endif
