/* SPDX-License-Identifier: Apache-2.0 */
/* dcsr: delta-linear encoding with dynamic bitwidths, in groups of 16 lanes.
 * docs/format.md, section 6.
 *
 * Base pointers are kept modulo 2^32: they may lie before the array, and a
 * hostile one then fails the one comparison with n that every position passes
 * through.
 */
#include "spk_dcsr.h"

#if !defined(SPK_WITHOUT_DCSR) || !defined(SPK_WITHOUT_HYBRID)

enum { LANES = SPK_DCSR_LANES, LONG_BASE = 0x80 };

/* Sets bit `bit` of the deltas of those lanes whose bit in the mask is set. */
SPK_INLINE void extend(uint8_t *deltas, uint32_t mask, uint32_t bit) {
  for (uint32_t i = 0; mask; i++, mask >>= 1) deltas[i] |= (uint8_t)((mask & 1u) << bit);
}

/* Lanes that cannot leave the array. Where their offsets cannot wrap around they go two at a time: all loads of a turn
 * come before its stores, which the compiler could not move them across. Shift and mask are constants here. */
SPK_INLINE void place_lanes(const uint8_t *deltas, const uint32_t shift, const uint32_t mask, uint32_t lanes,
                            uint32_t slope, const uint8_t *values, int8_t *base, bool wraps) {
  if (wraps) {
    SPK_NO_UNROLL
    for (uint32_t line = 0; lanes; lanes--, line += slope) {
      base[(line + (*deltas++ >> shift & mask)) & 0xFFu] = (int8_t)*values++;
    }
    return;
  }
  SPK_NO_UNROLL
  for (uint32_t pairs = lanes / 2u; pairs; pairs--) {
    const uint32_t even = deltas[0] >> shift & mask, odd = deltas[1] >> shift & mask;
    const uint8_t even_value = values[0], odd_value = values[1];
    base[even] = (int8_t)even_value;
    base += slope;
    base[odd] = (int8_t)odd_value;
    base += slope;
    deltas += 2;
    values += 2;
  }
  if (lanes % 2u != 0) base[*deltas >> shift & mask] = (int8_t)*values;
}

/* The lanes of one group; nothing is written where dst is null. Out of line, so that its loops have registers. */
static SPK_NOINLINE bool scatter_group(const uint8_t *deltas, uint32_t shift, uint32_t mask, uint32_t lanes,
                                       uint32_t base, uint32_t slope, const uint8_t *values, uint32_t n, int8_t *dst) {
  uint32_t line = 0;
  if (n >= 256u && base <= n - 256u) { /* no offset of a byte leads outside */
    if (!dst) return true;
    const bool wraps = (LANES - 1u) * slope + mask > 255u;
    if (shift == 4u) {
      place_lanes(deltas, 4, 15, lanes, slope, values, dst + base, wraps);
    } else if (mask == 15u) {
      place_lanes(deltas, 0, 15, lanes, slope, values, dst + base, wraps);
    } else {
      place_lanes(deltas, 0, 255, lanes, slope, values, dst + base, wraps);
    }
    return true;
  }
  for (; lanes; lanes--, line += slope) {
    const uint32_t position = base + ((line + (*deltas++ >> shift & mask)) & 0xFFu);
    if (position >= n) return false;
    if (dst) dst[position] = (int8_t)*values;
    values++;
  }
  return true;
}

/* Writes nothing where dst is null. */
static spk_status walk(const spk_tile *tile, int8_t *dst) {
  spk_dcsr_streams s;
  if (!spk_dcsr_open(tile, &s)) return SPK_ERROR_STREAM;
  uint32_t base = 0;
  for (uint32_t j = 0; j < spk_ceil_div(s.k, LANES); j++) {
    const uint32_t lanes = spk_min_u32(LANES, s.k - LANES * j);
    uint32_t shift = j % 2u == 0 ? 4u : 0u;
    const uint32_t bitmap = s.bitmaps[j / 2u] >> shift & 15u;
    const uint8_t *deltas = s.deltas + LANES * (j / 2u);
    size_t left = (size_t)(s.end - s.extensions);

    if (j != 0) base += LANES * s.slope;
    const uint32_t base_delta = s.bases[j];
    if (base_delta == LONG_BASE) {
      if (left < 4u) return SPK_ERROR_STREAM;
      base += spk_load_u32(s.extensions);
      s.extensions += 4;
      left -= 4u;
    } else {
      base += base_delta - (base_delta & 0x80u) * 2u; /* sign extension */
    }

    /* The deltas, as bits `mask` of each byte shifted right. Where a mask
     * extends them they are spread out first. */
    uint32_t mask = 15;
    uint8_t wide[LANES];
    if (bitmap != 0) {
      for (uint32_t i = 0; i < LANES; i++) wide[i] = deltas[i] >> shift & 15u;
      for (uint32_t b = 0; bitmap >> b; b++) {
        if ((bitmap >> b & 1u) == 0) continue;
        if (left < 2u) return SPK_ERROR_STREAM;
        extend(wide, spk_load_u16(s.extensions), 4u + b);
        s.extensions += 2;
        left -= 2u;
        mask = (32u << b) - 1u;
      }
      deltas = wide;
      shift = 0;
    }
    if (!scatter_group(deltas, shift, mask, lanes, base, s.slope, s.values, tile->n, dst)) return SPK_ERROR_STREAM;
    s.values += lanes;
  }
  return s.end - s.extensions < 4 ? SPK_OK : SPK_ERROR_STREAM;
}

#if !SPK_HELIUM && !SPK_RVV
spk_status spk_dcsr_scatter(const spk_tile *tile, int8_t *dst) { return walk(tile, dst); }

spk_status spk_dcsr_decode(const spk_tile *tile, int8_t *dst) {
  memset(dst, 0, tile->n);
  return spk_dcsr_scatter(tile, dst);
}
#endif

spk_status spk_dcsr_validate(const spk_tile *tile) { return walk(tile, NULL); }

#endif
