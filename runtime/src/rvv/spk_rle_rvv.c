/* SPDX-License-Identifier: Apache-2.0 */
/* rle on RISC-V vectors: the chain of distances becomes 16 offsets at a time by a prefix sum. docs/format.md,
 * section 5.
 *
 * 16 elements take up to 256 places, so that the offsets from one behind the previous element fit a byte.
 */
#include "../spk_internal.h"

#if SPK_RVV && !defined(SPK_WITHOUT_RLE)
#include "../spk_rle.h"
#include "spk_rvv.h"

/* Sixteen elements as offsets from one behind the previous element. */
SPK_INLINE vuint8m1_t load_offsets(const uint8_t *distances) {
  const vuint16m1_t pairs = __riscv_vzext_vf2_u16m1(__riscv_vle8_v_u8mf2(distances, 8), 8);
  /* The upper nibble is the first one. */
  const vuint16m1_t both =
      __riscv_vor_vv_u16m1(__riscv_vsrl_vx_u16m1(pairs, 4, 8), __riscv_vsll_vx_u16m1(pairs, 8, 8), 8);
  const vuint8m1_t nibbles = __riscv_vand_vx_u8m1(__riscv_vreinterpret_v_u16m1_u8m1(both), 15, 16);
  return __riscv_vadd_vv_u8m1(spk_prefix_sum(nibbles), __riscv_vid_v_u8m1(16), 16);
}

spk_status spk_rle_decode(const spk_tile *tile, int8_t *dst) {
  spk_rle_streams s;
  if (!spk_rle_open(tile, &s)) return SPK_ERROR_STREAM;
  const uint32_t n = tile->n;
  const uint8_t *distances = s.distances, *values = s.values;

  memset(dst, 0, n);
  uint32_t next = 0; /* one behind the previous element; next <= n */
  SPK_NO_UNROLL
  for (uint32_t vectors = s.k / 16u; vectors; vectors--) {
    const vuint8m1_t offsets = load_offsets(distances);
    const uint32_t last = spk_last_of_16(offsets);
    if (last >= n - next) return SPK_ERROR_STREAM;
    __riscv_vsuxei8_v_u8m1((uint8_t *)dst + next, offsets, __riscv_vle8_v_u8m1(values, 16), 16);
    next += last + 1u;
    distances += 8;
    values += 16;
  }
  for (uint32_t i = 0; i < s.k % 16u; i++) {
    const uint32_t position = next + (distances[i / 2u] >> (i % 2u == 0 ? 4 : 0) & 15u);
    if (position >= n) return SPK_ERROR_STREAM;
    dst[position] = (int8_t)*values++;
    next = position + 1u;
  }
  return SPK_OK;
}

#endif
