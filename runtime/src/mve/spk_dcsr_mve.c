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
  const int8_t *bases;
  uint8x16_t line; /* i * slope */
} walk;

/* Bits set in a nibble: a table in a constant. */
SPK_INLINE uint32_t count_bits(uint32_t nibble) { return (uint32_t)(UINT64_C(0x4332322132212110) >> 4 * nibble) & 15u; }

/* Adds the delta bits that have a mask. A bit of a mask is the predicate of its lane. The masks are known to be there.
 */
SPK_INLINE uint8x16_t extend(uint8x16_t delta, uint32_t bitmap, walk *w) {
  const uint8_t *mask = w->extensions;
  for (uint32_t bit = 16; bitmap; bitmap >>= 1, bit <<= 1) {
    if ((bitmap & 1u) == 0) continue;
    delta = vaddq_m_n_u8(delta, delta, (uint8_t)bit, (mve_pred16_t)spk_load_u16(mask));
    mask += 2;
  }
  w->extensions = mask;
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
    delta = extend(delta, bitmap, w);
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

/* Pairs as they mostly are: whole, inside the array, with short bases, and far enough from the end of the extensions
 * that two groups cannot take too many. Stops at the first other one. There is no call in the loop, and what it needs
 * only rarely it leaves in memory: the compiler then keeps the rest in registers. */
static SPK_NOINLINE void decode_plain_pairs(walk *w) {
  uint8_t *const dst = (uint8_t *)w->dst;
  const uint32_t safe = w->n >= 256u ? w->n - 255u : 0u; /* a base below it */
  const uint32_t step = w->step;
  const uint8x16_t line = w->line, low = vdupq_n_u8(15);
  const uint8_t *values = w->values, *deltas = w->deltas, *bitmaps = w->bitmaps;
  const int8_t *bases = w->bases;
  uint32_t base = w->base, pairs = w->left / (2u * SPK_DCSR_LANES);
  for (; pairs; pairs--) {
    const int32_t delta0 = bases[0], delta1 = bases[1];
    const uint32_t base0 = base + step + (uint32_t)delta0, base1 = base0 + step + (uint32_t)delta1;
    if (delta0 == LONG_BASE || delta1 == LONG_BASE || base0 >= safe || base1 >= safe) break;
    const uint8x16_t pair = vldrbq_u8(deltas);
    uint8x16_t even = vshrq_n_u8(pair, 4), odd = vandq_u8(pair, low);
    const uint32_t bitmap = *bitmaps;
    if (bitmap) {
      if (w->end - w->extensions < 16) break;
      even = extend(even, bitmap >> 4, w);
      odd = extend(odd, bitmap & 15u, w);
    }
    vstrbq_scatter_offset_u8(dst + base0, vaddq_u8(line, even), vldrbq_u8(values));
    vstrbq_scatter_offset_u8(dst + base1, vaddq_u8(line, odd), vldrbq_u8(values + SPK_DCSR_LANES));
    values += 2u * SPK_DCSR_LANES;
    deltas += SPK_DCSR_LANES;
    bitmaps++;
    bases += 2;
    base = base1;
  }
  w->left -= (uint32_t)(values - w->values);
  w->base = base;
  w->values = values;
  w->deltas = deltas;
  w->bitmaps = bitmaps;
  w->bases = bases;
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
  w.extensions = s.extensions;
  w.end = s.end;
  w.line = vmulq_n_u8(spk_iota(), (uint8_t)s.slope);
  while (w.left) {
    decode_plain_pairs(&w);
    if (w.left && !decode_pair(&w)) return SPK_ERROR_STREAM;
  }
  return w.end - w.extensions < 4 ? SPK_OK : SPK_ERROR_STREAM;
}

spk_status spk_dcsr_decode(const spk_tile *tile, int8_t *dst) {
  spk_fill_zero(dst, tile->n);
  return spk_dcsr_scatter(tile, dst);
}

#endif
