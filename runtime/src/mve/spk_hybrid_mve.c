/* hybrid on Helium: a group is one multiplication (lane number times stride), one load and one scatter; groups of four
 * go four at a time where they lie close enough. docs/format.md, section 7.
 *
 * Starts ascend. Up to the last one from which no stride can lead outside the array, a pair of groups is compared with
 * that place once; the few groups behind it are checked one by one.
 */
#include "../spk_internal.h"

#if SPK_HELIUM
#include <arm_acle.h>

#include "../spk_hybrid.h"
#include "spk_mve.h"

enum { LANES = 16 };

/* Where the walk over the groups of one class stands. */
typedef struct walk {
  uint8_t *dst;
  uint32_t n, left, size, first_stride; /* left: groups */
  uint32_t start;                       /* of the last group */
  uint32_t known[2], n_known;           /* starts of next groups whose distances were read already */
  uint32_t spare;                       /* distance bytes beyond one for each group that is left */
  const uint8_t *values, *codes, *distances;
} walk;

/* The rest of a distance that continues. False where the distances end, or lead outside the array. */
SPK_INLINE bool go_on(walk *w, const uint8_t **distances, uint8_t **slot) {
  uint32_t byte;
  do {
    if (w->spare == 0 || *slot >= w->dst + w->n) return false;
    w->spare--;
    byte = *(*distances)++;
    *slot += byte;
  } while (byte == SPK_HYBRID_CONTINUES);
  return true;
}

/* The groups that are left, each of them checked. */
static bool decode_rest(walk *w) {
  const mve_pred16_t lanes = vctp8q(w->size);
  const uint8x16_t iota = spk_iota();
  uint8_t *slot = w->dst + w->start;
  for (uint32_t g = 0; g < w->left; g++) {
    if (g < w->n_known) {
      slot = w->dst + w->known[g];
    } else {
      const uint32_t byte = *w->distances++;
      slot += byte;
      if (byte == SPK_HYBRID_CONTINUES && !go_on(w, &w->distances, &slot)) return false;
    }
    const uint32_t room = (uint32_t)(w->dst + w->n - slot); /* more than n where slot lies behind the array */
    const uint32_t stride = w->first_stride + (g % 2u == 0 ? *w->codes >> 4 : *w->codes++ & 15u);
    if (room > w->n || (w->size - 1u) * stride >= room) return false;
    vstrbq_scatter_offset_p_u8(slot, vmulq_n_u8(iota, (uint8_t)stride), vldrbq_z_u8(w->values, lanes), lanes);
    w->values += w->size;
  }
  w->codes += w->left % 2u;
  return true;
}

/* Sum of the four bytes of a word. */
SPK_INLINE uint32_t sum_bytes(uint32_t word) {
#if defined(__ARM_FEATURE_SIMD32)
  return __usad8(word, 0);
#else
  const uint32_t halves = (word & 0x00FF00FFu) + (word >> 8 & 0x00FF00FFu);
  return (halves + (halves >> 16)) & 0xFFFFu;
#endif
}

/* What four groups of four at a time need: lanes 4 g .. 4 g + 3 are group g, in the order in which the values lie. */
typedef struct four {
  int32x4_t byte_of, nibble_of; /* shifts that bring the byte, or the nibble, of a group into its lane */
  uint32x4_t least;             /* i * first_stride */
  uint32_t max_span;
} four;

SPK_INLINE four prepare_four(uint32_t first_stride) {
  static const int32_t byte_of[4] = {0, -8, -16, -24}, nibble_of[4] = {-4, 0, -12, -8};
  const four f = {vldrwq_s32(byte_of), vldrwq_s32(nibble_of), vdupq_n_u32(first_stride * 0x03020100u),
                  255u - 3u * (first_stride + 15u)};
  return f;
}

/* Offsets of the 16 elements, from the start of the first group; starts: that of each group, a byte each. */
SPK_INLINE uint8x16_t four_offsets(const four *f, uint32_t starts, uint32_t codes) {
  const uint32x4_t start = vandq_u32(vshlq_u32(vdupq_n_u32(starts), f->byte_of), vdupq_n_u32(0xFFu));
  const uint32x4_t stride = vandq_u32(vshlq_u32(vdupq_n_u32(codes), f->nibble_of), vdupq_n_u32(0xFu));
  /* A multiplication spreads a byte over the four elements of its group. */
  const uint32x4_t origin = vaddq_u32(vmulq_n_u32(start, 0x01010101u), f->least);
  return vreinterpretq_u8_u32(vmlaq_n_u32(origin, stride, 0x03020100u));
}

/* Groups up to limit, two or four at a time; one may be left. There is no call in the loop: the compiler then keeps
 * most in registers. Values are loaded 16 at a time, whatever the size. */
SPK_INLINE bool decode_groups(walk *w, uint32_t limit, const uint32_t size) {
  const uint32_t first_stride = w->first_stride;
  const mve_pred16_t lanes = vctp8q(size);
  const uint8x16_t iota = spk_iota();
  const four f = prepare_four(first_stride);
  uint8_t *slot = w->dst + w->start;
  const uint8_t *const last = w->dst + limit;
  const uint8_t *values = w->values, *codes = w->codes, *distances = w->distances;
  uint32_t left = w->left;
  while (left >= 2u) {
    if (size == 4u && left >= 4u) {
      /* The first distance moves the origin, the sums of the others are the starts from there. */
      uint32_t word;
      __builtin_memcpy(&word, distances, 4);
      const uint32_t first = word & 0xFFu, others = word - first, span = sum_bytes(others);
      uint8_t *const origin = slot + first, *const end = origin + span;
      if (first != SPK_HYBRID_CONTINUES && span <= f.max_span && end <= last) {
        const uint8x16_t offsets = four_offsets(&f, others * 0x01010101u, spk_load_u16(codes));
        vstrbq_scatter_offset_u8(origin, offsets, vldrbq_u8(values));
        slot = end;
        distances += 4;
        codes += 2;
        values += 16;
        left -= 4u;
        continue;
      }
    }
    uint32_t byte = *distances++;
    uint8_t *even = slot + byte;
    if (byte == SPK_HYBRID_CONTINUES && !go_on(w, &distances, &even)) return false;
    byte = *distances++;
    slot = even + byte;
    if (byte == SPK_HYBRID_CONTINUES && !go_on(w, &distances, &slot)) return false;
    if (slot > last) {
      w->known[0] = (uint32_t)(even - w->dst);
      w->known[1] = (uint32_t)(slot - w->dst);
      w->n_known = 2;
      break;
    }
    const uint32_t pair = *codes++;
    const uint8x16_t even_offsets = vmulq_n_u8(iota, (uint8_t)(first_stride + (pair >> 4)));
    const uint8x16_t odd_offsets = vmulq_n_u8(iota, (uint8_t)(first_stride + (pair & 15u)));
    const uint8x16_t even_values = vldrbq_u8(values), odd_values = vldrbq_u8(values + size);
    if (size == LANES) {
      vstrbq_scatter_offset_u8(even, even_offsets, even_values);
      vstrbq_scatter_offset_u8(slot, odd_offsets, odd_values);
    } else {
      vstrbq_scatter_offset_p_u8(even, even_offsets, even_values, lanes);
      vstrbq_scatter_offset_p_u8(slot, odd_offsets, odd_values, lanes);
    }
    values += 2u * size;
    left -= 2u;
  }
  w->start = (uint32_t)(slot - w->dst);
  w->left = left;
  w->values = values;
  w->codes = codes;
  w->distances = distances;
  return true;
}

/* The sizes of the paper each have their own loop, with everything that depends on the size a constant. */
static SPK_NOINLINE bool decode_16(walk *w, uint32_t limit) { return decode_groups(w, limit, 16); }
static SPK_NOINLINE bool decode_12(walk *w, uint32_t limit) { return decode_groups(w, limit, 12); }
static SPK_NOINLINE bool decode_8(walk *w, uint32_t limit) { return decode_groups(w, limit, 8); }
static SPK_NOINLINE bool decode_4(walk *w, uint32_t limit) { return decode_groups(w, limit, 4); }
static SPK_NOINLINE bool decode_any(walk *w, uint32_t limit) { return decode_groups(w, limit, w->size); }

static bool decode_class(spk_hybrid_streams *s, uint32_t record, uint32_t n, int8_t *dst) {
  const uint32_t size = record & 0xFFu, n_groups = record >> 8;
  const uint32_t reach = (size - 1u) * (s->first_stride + 15u);
  /* What does not fit a vector, or a byte of offset, is not worth another path. */
  if (s->wide || size > LANES || reach > 255u) return spk_hybrid_walk_class(s, record, n, dst);

  const size_t n_distances = (size_t)(s->distances_end - s->distances);
  if (n_distances < n_groups) return false;
  walk w = {(uint8_t *)dst, n, n_groups, size, s->first_stride, 0, {0, 0}, 0, 0, s->values, s->codes, s->distances};
  w.spare = (uint32_t)(n_distances - n_groups);
  /* A vector that starts within the values of this class ends within the tile. */
  const bool can_overread = (size_t)(s->tile_end - s->values) >= (size_t)n_groups * size + LANES;
  if (n > reach && can_overread) {
    bool (*const decode)(walk *, uint32_t) = size == 16u   ? decode_16
                                             : size == 12u ? decode_12
                                             : size == 8u  ? decode_8
                                             : size == 4u  ? decode_4
                                                           : decode_any;
    if (!decode(&w, n - 1u - reach)) return false;
  }
  if (!decode_rest(&w)) return false;
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
    if (!decode_class(&s, spk_load_u32(s.classes + 4u * c), tile->n, dst)) return SPK_ERROR_STREAM;
  }
  return s.distances == s.distances_end ? spk_dcsr_scatter(&s.remainder, dst) : SPK_ERROR_STREAM;
}

#endif
