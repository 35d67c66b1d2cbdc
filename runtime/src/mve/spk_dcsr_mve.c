/* dcsr on Helium: a group of 16 lanes at a time, two groups for each turn of the loop. docs/format.md, section 6.
 *
 * A group whose base pointer lies in [0, n - 256] cannot leave the array, whatever its offsets are, and is scattered
 * without a further look; the others, at both ends of the array, and a last group of fewer lanes go lane by lane.
 */
#include "../spk_internal.h"

#if SPK_HELIUM
#include "../spk_dcsr.h"
#include "spk_mve.h"

enum { LONG_BASE = -128 };

/* Lane by lane, each position checked. */
static SPK_NOINLINE bool scatter_lanes(int8_t *dst, uint32_t n, uint32_t base, uint8x16_t offsets, const uint8_t *values,
                                       uint32_t lanes) {
  uint8_t offset[SPK_DCSR_LANES];
  vstrbq_u8(offset, offsets);
  for (uint32_t i = 0; i < lanes; i++) {
    const uint32_t position = base + offset[i];
    if (position >= n) return false;
    dst[position] = (int8_t)values[i];
  }
  return true;
}

/* What moves on from group to group, and what stays. Inlined everywhere, so that all of it lives in registers. */
typedef struct walk {
  int8_t *dst;
  uint32_t n, safe, base, step;
  const uint8_t *values, *extensions, *end;
  uint8x16_t line; /* i * slope */
} walk;

SPK_INLINE bool decode_group(walk *w, uint8x16_t delta, uint32_t bitmap, int32_t base_delta, uint32_t lanes) {
  w->base += w->step + (uint32_t)base_delta;
  if (base_delta == LONG_BASE) {
    if (w->end - w->extensions < 4) return false;
    w->base += spk_load_u32(w->extensions) + 128u; /* which the marker took away */
    w->extensions += 4;
  }
  for (uint32_t bit = 16; bitmap; bitmap >>= 1, bit <<= 1) {
    if ((bitmap & 1u) == 0) continue;
    if (w->end - w->extensions < 2) return false;
    /* A bit of the mask is the predicate of its lane. */
    delta = vaddq_m_n_u8(delta, delta, (uint8_t)bit, (mve_pred16_t)spk_load_u16(w->extensions));
    w->extensions += 2;
  }
  const uint8x16_t offsets = vaddq_u8(w->line, delta);
  if (w->base < w->safe && lanes == SPK_DCSR_LANES) {
    vstrbq_scatter_offset_u8((uint8_t *)w->dst + w->base, offsets, vldrbq_u8(w->values));
  } else if (!scatter_lanes(w->dst, w->n, w->base, offsets, w->values, lanes)) {
    return false;
  }
  w->values += lanes;
  return true;
}

spk_status spk_dcsr_scatter(const spk_tile *tile, int8_t *dst) {
  spk_dcsr_streams s;
  if (!spk_dcsr_open(tile, &s)) return SPK_ERROR_STREAM;
  const uint8x16_t low = vdupq_n_u8(15);
  const uint8_t *deltas = s.deltas, *bitmaps = s.bitmaps;
  const int8_t *bases = (const int8_t *)s.bases;
  walk w;
  w.dst = dst;
  w.n = tile->n;
  w.safe = tile->n >= 256u ? tile->n - 255u : 0u; /* a base below it */
  w.step = SPK_DCSR_LANES * s.slope;
  w.base = 0u - w.step;
  w.values = s.values;
  w.extensions = s.extensions;
  w.end = s.end;
  w.line = vmulq_n_u8(spk_iota(), (uint8_t)s.slope);

  for (uint32_t pairs = s.k / (2u * SPK_DCSR_LANES); pairs; pairs--) {
    const uint8x16_t pair = vldrbq_u8(deltas);
    const uint32_t bitmap = *bitmaps++;
    deltas += SPK_DCSR_LANES;
    if (!decode_group(&w, vshrq_n_u8(pair, 4), bitmap >> 4, bases[0], SPK_DCSR_LANES)) return SPK_ERROR_STREAM;
    if (!decode_group(&w, vandq_u8(pair, low), bitmap & 15u, bases[1], SPK_DCSR_LANES)) return SPK_ERROR_STREAM;
    bases += 2;
  }
  const uint32_t rest = s.k % (2u * SPK_DCSR_LANES), first = spk_min_u32(rest, SPK_DCSR_LANES);
  if (rest != 0) {
    const uint8x16_t pair = vldrbq_u8(deltas);
    if (!decode_group(&w, vshrq_n_u8(pair, 4), *bitmaps >> 4, bases[0], first)) return SPK_ERROR_STREAM;
    if (rest > first && !decode_group(&w, vandq_u8(pair, low), *bitmaps & 15u, bases[1], rest - first)) {
      return SPK_ERROR_STREAM;
    }
  }
  return w.end - w.extensions < 4 ? SPK_OK : SPK_ERROR_STREAM;
}

spk_status spk_dcsr_decode(const spk_tile *tile, int8_t *dst) {
  spk_fill_zero(dst, tile->n);
  return spk_dcsr_scatter(tile, dst);
}

#endif
