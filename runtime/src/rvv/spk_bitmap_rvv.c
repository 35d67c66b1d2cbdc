/* SPDX-License-Identifier: Apache-2.0 */
/* Values of fewer than 8 bits on RISC-V vectors: a row of a group is 16 bytes, so that its fields come by a shift and a
 * mask. docs/format.md, section 8.
 */
#include "../spk_bitmap.h"

#if SPK_RVV && !defined(SPK_WITHOUT_BITMAP)
#include "spk_rvv.h"

/* All rows of a plane, with a shorter last group: its bytes are as many as its rows are long. */
SPK_INLINE void unpack(uint8_t *values, uint32_t n, const uint8_t *fields, uint32_t bits, bool is_first,
                       const spk_bitmap_plane *plane) {
  const uint32_t in_byte = 8u / bits;
  const uint8_t mask = (uint8_t)((1u << bits) - 1u), upper = (uint8_t)(1u << (bits - 1u));
  const uint8_t start = (uint8_t)plane->start, scale = (uint8_t)plane->scale, jump = (uint8_t)plane->jump;
  SPK_NO_UNROLL
  while (n) {
    const uint32_t in_group = spk_min_u32(n, 16u * in_byte);
    uint32_t lanes = spk_ceil_div(in_group, in_byte);
    vuint8m1_t bytes = __riscv_vle8_v_u8m1(fields, lanes);
    fields += lanes;
    n -= in_group;
    SPK_NO_UNROLL
    for (uint32_t left = in_group; left; left -= lanes) {
      lanes = spk_min_u32(lanes, left);
      const vuint8m1_t field = __riscv_vand_vx_u8m1(bytes, mask, lanes);
      vuint8m1_t sum;
      if (is_first) {
        sum = __riscv_vadd_vx_u8m1(field, start, lanes);
      } else {
        sum = __riscv_vmacc_vx_u8m1(__riscv_vle8_v_u8m1(values, lanes), scale, field, lanes);
      }
      const vbool8_t is_upper = __riscv_vmsgeu_vx_u8m1_b8(field, upper, lanes);
      sum = __riscv_vadd_vx_u8m1_mu(is_upper, sum, sum, jump, lanes);
      __riscv_vse8_v_u8m1(values, sum, lanes);
      values += lanes;
      bytes = __riscv_vsrl_vx_u8m1(bytes, bits, lanes);
    }
  }
}

SPK_BITMAP_UNPACK_WITH(unpack)

#endif
