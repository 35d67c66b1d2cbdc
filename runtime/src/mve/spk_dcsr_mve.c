/* dcsr on Helium: a group of 16 lanes at a time, two groups for each turn of the loop. docs/format.md, section 6.
 *
 * A group whose base pointer lies in [0, n - 256] cannot leave the array, whatever its offsets are, and is scattered
 * without a further look; for the others, at both ends of the array, the least and the largest offset are looked at.
 */
#include "../spk_internal.h"

#if SPK_HELIUM
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
  const uint8_t *values, *deltas, *bitmaps, *extensions, *end;
  const int8_t *bases, *long_base; /* the next one; the next that is stored long, or the end of the whole groups */
  uint8x16_t line;                 /* i * slope */
} walk;

/* Bits set in a nibble: a table in a constant. */
SPK_INLINE uint32_t count_bits(uint32_t nibble) { return (uint32_t)(UINT64_C(0x4332322132212110) >> 4 * nibble) & 15u; }

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
    for (uint32_t b = 1; b < 4u; b++) {
      if ((bitmap >> b & 1u) == 0) continue;
      delta = extend_bit(delta, 0x10u << b, *extensions);
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
      if (w->end - w->extensions < 4) return false;
      w->base += spk_load_u32(w->extensions) + 128u; /* which the marker took away */
      w->extensions += 4;
    }
    if (w->end - w->extensions < 2 * (int32_t)count_bits(bitmap)) return false;
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

/* The first long one of n bases, or their end. */
SPK_INLINE const int8_t *find_long(const int8_t *bases, uint32_t n) {
  const int8_t *const end = bases + n;
  for (; bases < end; bases += 16) {
    const mve_pred16_t there = vctp8q((uint32_t)(end - bases));
    const mve_pred16_t found = vcmpeqq_m_n_s8(vldrbq_z_s8(bases, there), LONG_BASE, there);
    if (found) return bases + __builtin_ctz(found);
  }
  return end;
}

/* Pairs as they mostly are: whole, with short bases, and far enough from the end of the extensions that two groups
 * cannot take too many. Stops at the first other one. There is no call in the loop, and what it needs only rarely it
 * leaves in memory: the compiler then keeps the rest in registers. */
static SPK_NOINLINE bool decode_plain_pairs(walk *w) {
  uint8_t *const dst = (uint8_t *)w->dst;
  const uint32_t safe = w->n >= 256u ? w->n - 255u : 0u; /* a base below it needs no further look */
  const uint32_t step = w->step;
  const uint8x16_t line = w->line, low = vdupq_n_u8(15);
  const uint8_t *values = w->values, *deltas = w->deltas, *bitmaps = w->bitmaps;
  const int8_t *bases = w->bases;
  if (bases > w->long_base) w->long_base = find_long(bases, w->left / SPK_DCSR_LANES);
  uint32_t base = w->base, pairs = (uint32_t)(w->long_base - bases) / 2u;
  for (; pairs; pairs--) {
    const uint8x16_t pair = vldrbq_u8(deltas);
    uint8x16_t even = vshrq_n_u8(pair, 4), odd = vandq_u8(pair, low);
    const uint32_t bitmap = *bitmaps;
    if (bitmap) {
      const uint8_t *extensions = w->extensions;
      if (w->end - extensions < 16) break;
      even = extend(even, bitmap >> 4, &extensions);
      odd = extend(odd, bitmap & 15u, &extensions);
      w->extensions = extensions;
    }
    even = vaddq_u8(even, line);
    odd = vaddq_u8(odd, line);
    base += step + (uint32_t)(int32_t)bases[0];
    if (base < safe) {
      vstrbq_scatter_offset_u8(dst + base, even, vldrbq_u8(values));
    } else if (!scatter_checked(w->dst, w->n, base, even, values, SPK_DCSR_LANES)) {
      return false;
    }
    base += step + (uint32_t)(int32_t)bases[1];
    if (base < safe) {
      vstrbq_scatter_offset_u8(dst + base, odd, vldrbq_u8(values + SPK_DCSR_LANES));
    } else if (!scatter_checked(w->dst, w->n, base, odd, values + SPK_DCSR_LANES, SPK_DCSR_LANES)) {
      return false;
    }
    values += 2u * SPK_DCSR_LANES;
    deltas += SPK_DCSR_LANES;
    bitmaps++;
    bases += 2;
  }
  w->left -= (uint32_t)(values - w->values);
  w->base = base;
  w->values = values;
  w->deltas = deltas;
  w->bitmaps = bitmaps;
  w->bases = bases;
  return true;
}

spk_status spk_dcsr_scatter(const spk_tile *tile, int8_t *dst) {
  spk_dcsr_streams s;
  if (!spk_dcsr_open(tile, &s)) return SPK_ERROR_STREAM;
  walk w;
  w.dst = dst;
  w.n = tile->n;
  w.left = s.k;
  w.step = SPK_DCSR_LANES * s.slope;
  w.base = 0u - w.step;
  w.values = s.values;
  w.deltas = s.deltas;
  w.bitmaps = s.bitmaps;
  w.bases = (const int8_t *)s.bases;
  w.long_base = find_long(w.bases, s.k / SPK_DCSR_LANES);
  w.extensions = s.extensions;
  w.end = s.end;
  w.line = vmulq_n_u8(spk_iota(), (uint8_t)s.slope);
  while (w.left) {
    if (!decode_plain_pairs(&w)) return SPK_ERROR_STREAM;
    if (w.left && !decode_pair(&w)) return SPK_ERROR_STREAM;
  }
  return w.end - w.extensions < 4 ? SPK_OK : SPK_ERROR_STREAM;
}

spk_status spk_dcsr_decode(const spk_tile *tile, int8_t *dst) {
  spk_fill_zero(dst, tile->n);
  return spk_dcsr_scatter(tile, dst);
}

#endif
