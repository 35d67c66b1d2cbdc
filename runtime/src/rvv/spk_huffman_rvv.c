/* SPDX-License-Identifier: Apache-2.0 */
/* huffman on RISC-V vectors: raw bits are added and values stored 16 at a time. Codes are read as without vectors: each
 * waits for the one before. docs/format.md, section 10.
 */
#include "../spk_internal.h"

#if SPK_RVV && !defined(SPK_WITHOUT_HUFFMAN)
#include "../spk_huffman.h"
#include "spk_rvv.h"

void spk_huffman_add_raw_bits(uint8_t *values, uint32_t count, const uint8_t *raw_bits, uint32_t value_raw) {
  const uint32_t rows = 8u / value_raw, in_group = 16u * rows;
  const uint8_t mask = (uint8_t)((1u << value_raw) - 1u);
  SPK_NO_UNROLL
  for (; count >= in_group; count -= in_group, raw_bits += 16) {
    vuint8m1_t raw = __riscv_vle8_v_u8m1(raw_bits, 16);
    SPK_NO_UNROLL
    for (uint32_t left = rows; left; left--, values += 16) {
      const vuint8m1_t lowest = __riscv_vle8_v_u8m1(values, 16);
      __riscv_vse8_v_u8m1(values, __riscv_vadd_vv_u8m1(lowest, __riscv_vand_vx_u8m1(raw, mask, 16), 16), 16);
      raw = __riscv_vsrl_vx_u8m1(raw, value_raw, 16);
    }
  }
  spk_huffman_add_last_raw_bits(values, count, raw_bits, value_raw);
}

bool spk_huffman_scatter(int8_t *dst, uint32_t n, uint32_t *position, const uint8_t *gaps, const uint8_t *values,
                         uint32_t count) {
  const vuint16m1_t none = __riscv_vmv_v_x_u16m1(0, 8);
  uint32_t at = *position;
  SPK_NO_UNROLL
  for (; count >= 16u; count -= 16u, gaps += 16, values += 16) {
    const vuint8m1_t gap = __riscv_vle8_v_u8m1(gaps, 16);
    const uint32_t sum = __riscv_vmv_x_s_u16m1_u16(__riscv_vwredsumu_vs_u8m1_u16m1(gap, none, 16));
    if (sum > n - at) return false;
    if (sum > 255u) { /* offsets may not fit a byte */
      if (!spk_huffman_store(dst, n, &at, gaps, values, 16)) return false;
      continue;
    }
    uint8_t *const before = (uint8_t *)dst - 1 + at;
    __riscv_vsuxei8_v_u8m1(before, spk_prefix_sum(gap), __riscv_vle8_v_u8m1(values, 16), 16);
    at += sum;
  }
  *position = at;
  return spk_huffman_store(dst, n, position, gaps, values, count);
}

#endif
