/* SPDX-License-Identifier: Apache-2.0 */
/* dcsr on RISC-V vectors: a group of 16 lanes at a time, two groups for each turn of the loop. docs/format.md,
 * section 6.
 *
 * A group whose base pointer lies in [0, n - 256] cannot leave the array, whatever its offsets are, and is stored
 * without a further look; for the others, at both ends of the array, the least and the largest offset are looked at.
 */
#include "../spk_internal.h"

#if SPK_RVV && (!defined(SPK_WITHOUT_DCSR) || !defined(SPK_WITHOUT_HYBRID))
#include "../spk_dcsr.h"
#include "spk_rvv.h"

enum { LANES = SPK_DCSR_LANES, LONG_BASE = 0x80 };

/* The positions of a group anywhere lie between that of the least offset and that of the largest, at most 255 apart: if
 * both are below n, none of them has wrapped around. */
static bool is_inside(uint32_t n, uint32_t base, vuint8m1_t offsets, size_t lanes) {
  const vuint8m1_t first = __riscv_vmv_s_x_u8m1(255, 1), zero = __riscv_vmv_s_x_u8m1(0, 1);
  const uint32_t least = __riscv_vmv_x_s_u8m1_u8(__riscv_vredminu_vs_u8m1_u8m1(offsets, first, lanes));
  const uint32_t largest = __riscv_vmv_x_s_u8m1_u8(__riscv_vredmaxu_vs_u8m1_u8m1(offsets, zero, lanes));
  return base + least < n && base + largest < n;
}

/* Delta bits that have a mask, in which a bit is a lane. Returns false where the masks end. */
SPK_INLINE bool extend(vuint8m1_t *delta, uint32_t bitmap, spk_dcsr_streams *s) {
  SPK_NO_UNROLL
  for (uint32_t bit = 0x10u; bitmap; bit <<= 1, bitmap >>= 1) {
    if ((bitmap & 1u) == 0) continue;
    if (s->end - s->extensions < 2) return false;
    const vbool8_t mask = __riscv_vlm_v_b8(s->extensions, LANES);
    *delta = __riscv_vor_vx_u8m1_mu(mask, *delta, *delta, (uint8_t)bit, LANES);
    s->extensions += 2;
  }
  return true;
}

spk_status spk_dcsr_scatter(const spk_tile *tile, int8_t *dst) {
  spk_dcsr_streams s;
  if (!spk_dcsr_open(tile, &s)) return SPK_ERROR_STREAM;
  const uint32_t n = tile->n, step = LANES * s.slope;
  const uint32_t safe = n >= 256u ? n - 255u : 0u; /* a group whose base lies below it cannot leave the array */
  const vuint8m1_t line = __riscv_vmul_vx_u8m1(__riscv_vid_v_u8m1(LANES), (uint8_t)s.slope, LANES);
  uint32_t base = 0u - step;
  SPK_NO_UNROLL
  for (uint32_t left = s.k; left; s.deltas += LANES, s.bitmaps++) {
    const vuint8m1_t pair = __riscv_vle8_v_u8m1(s.deltas, LANES);
    vuint8m1_t delta = __riscv_vsrl_vx_u8m1(pair, 4, LANES);
    uint32_t bitmap = *s.bitmaps >> 4;
    SPK_UNROLL(2)
    for (uint32_t half = 0; half < 2u && left; half++) {
      const uint32_t lanes = spk_min_u32(left, LANES), base_delta = *s.bases++;
      base += step;
      if (base_delta == LONG_BASE) {
        if (s.end - s.extensions < 4) return SPK_ERROR_STREAM;
        base += spk_load_u32(s.extensions);
        s.extensions += 4;
      } else {
        base += base_delta - (base_delta & 0x80u) * 2u; /* sign extension */
      }
      if (bitmap != 0 && !extend(&delta, bitmap, &s)) return SPK_ERROR_STREAM;
      const vuint8m1_t offsets = __riscv_vadd_vv_u8m1(delta, line, LANES);
      uintptr_t origin = (uintptr_t)dst + base;
      if (base >= safe) {
        if (!is_inside(n, base, offsets, lanes)) return SPK_ERROR_STREAM;
        if (base >= n) origin = (uintptr_t)dst - (0u - base); /* before dst, where no position is */
      }
      __riscv_vsuxei8_v_u8m1((uint8_t *)origin, offsets, __riscv_vle8_v_u8m1(s.values, lanes), lanes);
      s.values += lanes;
      left -= lanes;
      delta = __riscv_vand_vx_u8m1(pair, 15, LANES);
      bitmap = *s.bitmaps & 15u;
    }
  }
  return s.end - s.extensions < 4 ? SPK_OK : SPK_ERROR_STREAM;
}

spk_status spk_dcsr_decode(const spk_tile *tile, int8_t *dst) {
  memset(dst, 0, tile->n);
  return spk_dcsr_scatter(tile, dst);
}

#endif
