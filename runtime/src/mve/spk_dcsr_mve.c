/* SPDX-License-Identifier: Apache-2.0 */
/* dcsr on Helium: a group of 16 lanes at a time, two groups for each turn of the loop. docs/format.md, section 6.
 *
 * A group whose base pointer lies in [0, n - 256] cannot leave the array, whatever its offsets are, and is scattered
 * without a further look; for the others, at both ends of the array, the least and the largest offset are looked at.
 */
#include "../spk_internal.h"

#if SPK_HELIUM && (!defined(SPK_WITHOUT_DCSR) || !defined(SPK_WITHOUT_HYBRID))
#include "../spk_dcsr.h"
#include "spk_mve.h"

enum { LONG_BASE = -128 };

/* The first lanes of a group anywhere. Its positions lie between that of the least offset and that of the largest, at
 * most 255 apart: if both are below n, none of them has wrapped around. */
SPK_INLINE bool scatter_checked(int8_t *dst, uint32_t n, uint32_t base, uint8x16_t offsets, const uint8_t *values,
                                uint32_t lanes) {
  const mve_pred16_t active = vctp8q(lanes);
  const uint32_t least = vminvq_p_u8(255, offsets, active), largest = vmaxvq_p_u8(0, offsets, active);
  if (base + least >= n || base + largest >= n) return false;
  uint8_t *const origin = (uint8_t *)((uintptr_t)dst + base); /* may lie before dst, all positions do not */
  vstrbq_scatter_offset_p_u8(origin, offsets, vldrbq_z_u8(values, active), active);
  return true;
}

/* Where the walk over the groups stands. */
typedef struct walk {
  int8_t *dst;
  uint32_t n, left; /* elements of the array; stored elements that are left */
  uint32_t base, step;
  uint32_t safe; /* a group whose base lies below it cannot leave the array */
  const uint8_t *values, *deltas, *bitmaps, *extensions;
  const int8_t *bases;
  uint8x16_t line; /* i * slope */
} walk;

/* Bytes of the extensions that n groups take. Once it is known that all of them are there, nothing looks again. */
SPK_INLINE uint32_t extensions_size(const uint8_t *bitmaps, const int8_t *bases, uint32_t n) {
  uint32_t n_masks = 0, n_long = 0;
  if (n % 2u != 0) n_masks = spk_count_bits(bitmaps[n / 2u] >> 4); /* the other nibble carries nothing */
  for (int32_t left = (int32_t)(n / 2u); left > 0; left -= 16) {   /* bits set in two nibbles at once */
    uint8x16_t bits = vldrbq_z_u8(bitmaps, vctp8q((uint32_t)left));
    bits = vsubq_u8(bits, vandq_u8(vshrq_n_u8(bits, 1), vdupq_n_u8(0x55)));
    bits = vaddq_u8(vandq_u8(bits, vdupq_n_u8(0x33)), vandq_u8(vshrq_n_u8(bits, 2), vdupq_n_u8(0x33)));
    n_masks = vaddvaq_u8(n_masks, vandq_u8(vaddq_u8(bits, vshrq_n_u8(bits, 4)), vdupq_n_u8(15)));
    bitmaps += 16;
  }
  for (int32_t left = (int32_t)n; left > 0; left -= 16) {
    const mve_pred16_t there = vctp8q((uint32_t)left);
    const mve_pred16_t longs = vcmpeqq_m_n_s8(vldrbq_z_s8(bases, there), LONG_BASE, there);
    n_long = vaddvaq_p_u8(n_long, vdupq_n_u8(1), longs);
    bases += 16;
  }
  return 2u * n_masks + 4u * n_long;
}

/* One delta bit from its mask. A bit of the mask is the predicate of its lane. */
SPK_INLINE uint8x16_t extend_bit(uint8x16_t delta, uint32_t bit, const uint8_t *mask) {
  return vaddq_m_n_u8(delta, delta, (uint8_t)bit, (mve_pred16_t)spk_load_u16(mask));
}

/* All delta bits that have a mask; the masks are known to be there. Mostly it is bit 4 alone. */
SPK_INLINE uint8x16_t extend(uint8x16_t delta, uint32_t bitmap, const uint8_t **extensions) {
  if (bitmap & 1u) {
    delta = extend_bit(delta, 0x10u, *extensions);
    *extensions += 2;
  }
  if (bitmap > 1u) {
    if (bitmap & 2u) {
      delta = extend_bit(delta, 0x20u, *extensions);
      *extensions += 2;
    }
    if (bitmap & 4u) {
      delta = extend_bit(delta, 0x40u, *extensions);
      *extensions += 2;
    }
    if (bitmap & 8u) {
      delta = extend_bit(delta, 0x80u, *extensions);
      *extensions += 2;
    }
  }
  return delta;
}

/* One pair of groups, or what is left of one, whatever is in it. */
static SPK_NOINLINE bool decode_pair(walk *w) {
  const uint8x16_t pair = vldrbq_u8(w->deltas);
  uint8x16_t delta = vshrq_n_u8(pair, 4);
  uint32_t bitmap = *w->bitmaps >> 4;
  for (uint32_t half = 0; half < 2u && w->left; half++) {
    const uint32_t lanes = spk_min_u32(w->left, SPK_DCSR_LANES);
    const int32_t base_delta = *w->bases++;
    w->base += w->step + (uint32_t)base_delta;
    if (base_delta == LONG_BASE) {
      w->base += spk_load_u32(w->extensions) + 128u; /* which the marker took away */
      w->extensions += 4;
    }
    delta = extend(delta, bitmap, &w->extensions);
    if (!scatter_checked(w->dst, w->n, w->base, vaddq_u8(w->line, delta), w->values, lanes)) return false;
    w->values += lanes;
    w->left -= lanes;
    delta = vandq_u8(pair, vdupq_n_u8(15));
    bitmap = *w->bitmaps & 15u;
  }
  w->deltas += SPK_DCSR_LANES;
  w->bitmaps++;
  return true;
}

/* How many of the next pairs are whole, have short bases, and cannot leave the array. Mostly the bases of 16 groups
 * ascend; where the first one lies in the array it is enough to look at the last one, which cannot have wrapped around.
 */
SPK_INLINE uint32_t count_plain(const walk *w) {
  const int8_t *bases = w->bases, *const end = bases + (w->left / SPK_DCSR_LANES & ~UINT32_C(1));
  uint32_t base = w->base;
  if (bases == end || base + w->step + (uint32_t)(int32_t)*bases >= w->safe) return 0;
  const int32_t least = -(int32_t)spk_min_u32(w->step, 127u);
  while (end - bases >= 16) {
    const int8x16_t block = vldrbq_s8(bases);
    const uint32_t last = base + 16u * w->step + (uint32_t)vaddvq_s8(block);
    if (vminvq_s8(0, block) < least || last >= w->safe) break;
    base = last;
    bases += 16;
  }
  for (; bases < end && *bases != LONG_BASE; bases++) {
    base += w->step + (uint32_t)(int32_t)*bases;
    if (base >= w->safe) break;
  }
  return (uint32_t)(bases - w->bases) / 2u;
}

/* Pairs that count_plain has counted: they need no check. The loop has no call and one exit, and the pairs without
 * masks are laid out as its straight line: it becomes a low-overhead loop. Out of line, so that all pointers have
 * registers. */
static SPK_NOINLINE void decode_plain_pairs(walk *w, uint32_t pairs) {
  const uint32_t step = w->step;
  const uint8x16_t line = w->line, low = vdupq_n_u8(15);
  const uint8_t *values = w->values, *deltas = w->deltas, *bitmaps = w->bitmaps, *extensions = w->extensions;
  const int8_t *bases = w->bases;
  uint8_t *origin = (uint8_t *)((uintptr_t)w->dst + w->base); /* may lie before dst here, but not in the loop */
  for (; pairs; pairs--) {
    const uint8x16_t pair = vldrbq_u8(deltas);
    uint8x16_t even = vshrq_n_u8(pair, 4), odd = vandq_u8(pair, low);
    const uint32_t bitmap = *bitmaps;
    if (__builtin_expect(bitmap != 0, 0)) {
      if (bitmap == 0x11u) { /* bit 4 of both, the usual case */
        even = extend_bit(even, 0x10u, extensions);
        odd = extend_bit(odd, 0x10u, extensions + 2);
        extensions += 4;
      } else {
        even = extend(even, bitmap >> 4, &extensions);
        odd = extend(odd, bitmap & 15u, &extensions);
      }
    }
    origin += (int32_t)step + *bases++;
    vstrbq_scatter_offset_u8(origin, vaddq_u8(even, line), vldrbq_u8(values));
    origin += (int32_t)step + *bases++;
    vstrbq_scatter_offset_u8(origin, vaddq_u8(odd, line), vldrbq_u8(values + SPK_DCSR_LANES));
    values += 2u * SPK_DCSR_LANES;
    deltas += SPK_DCSR_LANES;
    bitmaps++;
  }
  w->left -= (uint32_t)(values - w->values);
  w->base = (uint32_t)((uintptr_t)origin - (uintptr_t)w->dst);
  w->values = values;
  w->deltas = deltas;
  w->bitmaps = bitmaps;
  w->extensions = extensions;
  w->bases = bases;
}

spk_status spk_dcsr_scatter(const spk_tile *tile, int8_t *dst) {
  spk_dcsr_streams s;
  if (!spk_dcsr_open(tile, &s)) return SPK_ERROR_STREAM;
  const int8_t *const bases = (const int8_t *)s.bases;
  const uint32_t size = extensions_size(s.bitmaps, bases, spk_ceil_div(s.k, SPK_DCSR_LANES));
  if (!spk_ends(size, (uint32_t)(s.end - s.extensions))) return SPK_ERROR_STREAM;
  walk w;
  w.dst = dst;
  w.n = tile->n;
  w.left = s.k;
  w.step = SPK_DCSR_LANES * s.slope;
  w.base = 0u - w.step;
  w.safe = tile->n >= 256u ? tile->n - 255u : 0u;
  w.values = s.values;
  w.deltas = s.deltas;
  w.bitmaps = s.bitmaps;
  w.bases = bases;
  w.extensions = s.extensions;
  w.line = vmulq_n_u8(spk_iota(), (uint8_t)s.slope);
  while (w.left) {
    decode_plain_pairs(&w, count_plain(&w));
    if (w.left && !decode_pair(&w)) return SPK_ERROR_STREAM;
  }
  return SPK_OK;
}

spk_status spk_dcsr_decode(const spk_tile *tile, int8_t *dst) {
  spk_fill_zero(dst, tile->n);
  return spk_dcsr_scatter(tile, dst);
}

#endif
