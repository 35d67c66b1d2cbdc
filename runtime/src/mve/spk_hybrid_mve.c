/* SPDX-License-Identifier: Apache-2.0 */
/* hybrid on Helium: a group is one multiplication (lane number times stride), one load and one scatter; groups of four
 * go four at a time. docs/format.md, section 7.
 *
 * Starts ascend. Up to the last one from which no stride can lead outside the array, a pair of groups is compared with
 * that place once; the few groups behind it are looked at one by one.
 */
#include "../spk_internal.h"

#if SPK_HELIUM && !defined(SPK_WITHOUT_HYBRID)
#include "../spk_dcsr.h"
#include "../spk_hybrid.h"
#include "spk_mve.h"

enum { LANES = 16 };

/* Where the walk over the groups of one class stands. */
typedef struct walk {
  uint8_t *slot;  /* start of the last group */
  uint8_t *clear; /* no group that starts before it leads outside the array */
  uint8_t *end;   /* of the array */
  uint32_t n, size, first_stride;
  uint32_t left;     /* groups */
  uint32_t max_span; /* starts of groups that are no further apart have no element beyond offset 255 of the first */
  uint32_t spare;    /* distance bytes beyond one for each group that is left */
  const uint8_t *values, *codes, *distances;
} walk;

/* The rest of a distance that continues. False where the distances end, or lead outside the array. */
SPK_INLINE bool go_on(walk *w, const uint8_t **distances, uint8_t **slot) {
  uint32_t byte;
  do {
    if (w->spare == 0 || *slot >= w->end) return false;
    w->spare--;
    byte = *(*distances)++;
    *slot += byte;
  } while (byte == SPK_HYBRID_CONTINUES);
  return true;
}

/* Whether a group lies inside the array. It starts less than 2^31 behind its end. */
SPK_INLINE bool is_inside(const walk *w, const uint8_t *slot, uint32_t stride) {
  const uint32_t room = (uint32_t)(w->end - slot); /* more than n where slot lies behind the array */
  return room <= w->n && (w->size - 1u) * stride < room;
}

/* Groups of size four, four at a time: lanes 4 g .. 4 g + 3 are group g, in the order in which the values lie. The
 * first distance of four moves the origin, the sums of the others are the starts from there. 16 groups are prepared
 * together, as long as no distance continues and no stride leads outside. They pass through memory, where a load makes
 * words of bytes: a word for each group, over whose bytes a multiplication then spreads it. */
static SPK_NOINLINE void decode_fours(walk *w) {
  enum { STARTS = 0, STRIDES = 16, SPANS = 32 };
  const uint32_t ones = 0x01010101u, lane_numbers = 0x03020100u;
  uint8_t prepared[48];
  uint8_t *origin = w->slot;
  const uint8_t *values = w->values, *codes = w->codes, *distances = w->distances;
  while (w->left >= 16u) {
    const uint8x16_t next = vldrbq_u8(distances);
    if (vmaxvq_u8(0, next) == SPK_HYBRID_CONTINUES || origin + vaddvq_u8(next) >= w->clear) break;
    w->left -= 16u;
    const uint32x4_t others = vbicq_n_u32(vreinterpretq_u32_u8(next), 0xFF);
    vstrbq_u8(prepared + STARTS, vreinterpretq_u8_u32(vmulq_n_u32(others, ones)));
    /* Their sum, or 255 where it is larger, in each byte. */
    const uint8x16_t pairs = vqaddq_u8(vreinterpretq_u8_u32(others), vrev16q_u8(vreinterpretq_u8_u32(others)));
    vstrbq_u8(prepared + SPANS, vqaddq_u8(pairs, vreinterpretq_u8_u16(vrev32q_u16(vreinterpretq_u16_u8(pairs)))));
    vstrbq_u8(prepared + STRIDES, vaddq_n_u8(spk_load_nibbles(codes), (uint8_t)w->first_stride));
    codes += 8;
    const uint32_t max_span = w->max_span;
    const uint8_t *four = prepared;
    /* Unrolled, the compiler would take the words out of vectors, byte by byte. */
    SPK_NO_UNROLL
    for (uint32_t i = 4; i; i--) {
      const uint8x16_t four_values = vldrbq_u8(values);
      const uint32x4_t words = vmulq_n_u32(vldrbq_u32(four + STRIDES), lane_numbers);
      const uint8x16_t steps = vreinterpretq_u8_u32(words);
      const uint32_t span = four[SPANS];
      values += 16;
      origin += *distances;
      distances += 4;
      if (__builtin_expect(span <= max_span, 1)) {
        const uint32x4_t offsets = vmlaq_n_u32(words, vldrbq_u32(four + STARTS), ones);
        vstrbq_scatter_offset_u8(origin, vreinterpretq_u8_u32(offsets), four_values);
        origin += span;
      } else { /* one by one */
        vstrbq_scatter_offset_p_u8(origin, steps, four_values, 0x000Fu);
        origin += distances[-3];
        vstrbq_scatter_offset_p_u8(origin, steps, four_values, 0x00F0u);
        origin += distances[-2];
        vstrbq_scatter_offset_p_u8(origin, steps, four_values, 0x0F00u);
        origin += distances[-1];
        vstrbq_scatter_offset_p_u8(origin, steps, four_values, vpnot(vctp8q(12))); /* GCC 12 fails at 0xF000 */
      }
      four += 4;
    }
  }
  w->slot = origin;
  w->values = values;
  w->codes = codes;
  w->distances = distances;
}

/* Two groups. Both values are loaded before they are scattered: one predicate then serves for all four. */
SPK_INLINE void scatter_two(uint32_t size, uint8_t *even, uint32_t even_stride, uint8_t *odd, uint32_t odd_stride,
                            const uint8_t *values) {
  if (size == 8u) { /* in lanes of 16 bits these are a whole vector */
    const uint16x8_t iota = vidupq_n_u16(0, 1);
    const uint16x8_t even_values = vldrbq_u16(values), odd_values = vldrbq_u16(values + 8);
    vstrbq_scatter_offset_u16(even, vmulq_n_u16(iota, (uint16_t)even_stride), even_values);
    vstrbq_scatter_offset_u16(odd, vmulq_n_u16(iota, (uint16_t)odd_stride), odd_values);
    return;
  }
  const uint8x16_t even_offsets = vmulq_n_u8(spk_iota(), (uint8_t)even_stride);
  const uint8x16_t odd_offsets = vmulq_n_u8(spk_iota(), (uint8_t)odd_stride);
  if (size == LANES) {
    vstrbq_scatter_offset_u8(even, even_offsets, vldrbq_u8(values));
    vstrbq_scatter_offset_u8(odd, odd_offsets, vldrbq_u8(values + size));
  } else {
    const mve_pred16_t lanes = vctp8q(size);
    const uint8x16_t even_values = vldrbq_z_u8(values, lanes), odd_values = vldrbq_z_u8(values + size, lanes);
    vstrbq_scatter_offset_p_u8(even, even_offsets, even_values, lanes);
    vstrbq_scatter_offset_p_u8(odd, odd_offsets, odd_values, lanes);
  }
}

/* 2 n groups, two at a time. There is no call in the loop: the compiler then keeps most in registers. */
SPK_INLINE bool decode_pairs(walk *w, uint32_t n, const uint32_t size) {
  const uint32_t first_stride = w->first_stride;
  uint8_t *slot = w->slot;
  const uint8_t *values = w->values, *codes = w->codes, *distances = w->distances;
  w->left -= 2u * n;
  for (; n; n--) {
    uint32_t byte = *distances++;
    uint8_t *even = slot + byte;
    if (byte == SPK_HYBRID_CONTINUES && !go_on(w, &distances, &even)) return false;
    byte = *distances++;
    slot = even + byte;
    if (byte == SPK_HYBRID_CONTINUES && !go_on(w, &distances, &slot)) return false;
    const uint32_t pair = *codes++, even_stride = first_stride + (pair >> 4), odd_stride = first_stride + (pair & 15u);
    if (slot >= w->clear && (!is_inside(w, even, even_stride) || !is_inside(w, slot, odd_stride))) return false;
    scatter_two(size, even, even_stride, slot, odd_stride, values);
    values += 2u * size;
  }
  w->slot = slot;
  w->values = values;
  w->codes = codes;
  w->distances = distances;
  return true;
}

/* The sizes of the paper each have their own loop, with everything that depends on the size a constant. */
static SPK_NOINLINE bool decode_16(walk *w) { return decode_pairs(w, w->left / 2u, 16); }
static SPK_NOINLINE bool decode_12(walk *w) { return decode_pairs(w, w->left / 2u, 12); }
static SPK_NOINLINE bool decode_8(walk *w) { return decode_pairs(w, w->left / 2u, 8); }
static SPK_NOINLINE bool decode_any(walk *w) { return decode_pairs(w, w->left / 2u, w->size); }
static SPK_NOINLINE bool decode_4(walk *w) {
  do {
    decode_fours(w);
    if (!decode_pairs(w, spk_min_u32(w->left / 2u, 8), 4)) return false;
  } while (w->left >= 2u);
  return true;
}

/* The last group of an odd number. */
SPK_INLINE bool decode_last(walk *w) {
  const mve_pred16_t lanes = vctp8q(w->size);
  const uint32_t byte = *w->distances++, stride = w->first_stride + (*w->codes++ >> 4);
  w->slot += byte;
  if (byte == SPK_HYBRID_CONTINUES && !go_on(w, &w->distances, &w->slot)) return false;
  if (!is_inside(w, w->slot, stride)) return false;
  vstrbq_scatter_offset_p_u8(w->slot, vmulq_n_u8(spk_iota(), (uint8_t)stride), vldrbq_z_u8(w->values, lanes), lanes);
  w->values += w->size;
  return true;
}

static bool decode_class(spk_hybrid_streams *s, uint32_t record, uint32_t n, int8_t *dst) {
  const uint32_t size = record & 0xFFu, n_groups = record >> 8;
  const uint32_t reach = (size - 1u) * (s->first_stride + 15u);
  /* What does not fit a vector, or a byte of offset, is not worth another path. */
  if (s->wide || size > LANES || reach > 255u) return spk_hybrid_walk_class(s, record, n, dst);

  const size_t n_distances = (size_t)(s->distances_end - s->distances);
  if (n_distances < n_groups) return false;
  walk w;
  w.slot = (uint8_t *)dst;
  w.end = w.slot + n;
  w.clear = n > reach ? w.end - reach : w.slot;
  w.n = n;
  w.max_span = 255u - reach;
  w.size = size;
  w.left = n_groups;
  w.first_stride = s->first_stride;
  w.spare = (uint32_t)(n_distances - n_groups);
  w.values = s->values;
  w.codes = s->codes;
  w.distances = s->distances;
  bool (*const decode)(walk *) = size == 16u   ? decode_16
                                 : size == 12u ? decode_12
                                 : size == 8u  ? decode_8
                                 : size == 4u  ? decode_4
                                               : decode_any;
  if (!decode(&w) || (n_groups % 2u != 0 && !decode_last(&w))) return false;
  s->values = w.values;
  s->codes = w.codes;
  s->distances = w.distances;
  return true;
}

spk_status spk_hybrid_decode(const spk_tile *tile, int8_t *dst) {
  spk_hybrid_streams s;
  if (!spk_hybrid_open(tile, &s)) return SPK_ERROR_STREAM;
  spk_fill_zero(dst, tile->n);
  for (uint32_t c = 0; c < s.n_classes; c++) {
    const uint32_t record = spk_load_u32(s.classes + 4u * c);
    if (!spk_hybrid_take(&s, record) || !decode_class(&s, record, tile->n, dst)) return SPK_ERROR_STREAM;
  }
  return s.distances == s.distances_end ? spk_dcsr_scatter(&s.remainder, dst) : SPK_ERROR_STREAM;
}

#endif
