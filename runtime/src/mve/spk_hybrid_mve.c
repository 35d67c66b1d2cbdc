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
  uint8_t *slot, *last;                 /* start of the last group; the last one that needs no further look */
  uint8_t *known[2];                    /* starts of next groups whose distances were read already */
  uint32_t n_known;
  uint32_t spare; /* distance bytes beyond one for each group that is left */
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
  uint8_t *slot = w->slot;
  for (uint32_t g = 0; g < w->left; g++) {
    if (g < w->n_known) {
      slot = w->known[g];
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

/* Up to so many groups of any size, in pairs: one may be left of an odd number. False where the distances end. Stops
 * with known starts where a pair may lead outside the array. There is no call in the loop: the compiler then keeps most
 * in registers. Values are loaded 16 at a time, whatever the size. */
SPK_INLINE bool decode_pairs(walk *w, const uint32_t size, uint32_t groups) {
  const uint32_t first_stride = w->first_stride;
  const mve_pred16_t lanes = vctp8q(size);
  const uint8x16_t iota = spk_iota();
  const uint16x8_t iota8 = vidupq_n_u16(0, 1);
  uint8_t *slot = w->slot;
  uint8_t *const last = w->last;
  const uint8_t *values = w->values, *codes = w->codes, *distances = w->distances;
  for (uint32_t pairs = groups / 2u; pairs; pairs--) {
    uint32_t byte = *distances++;
    uint8_t *even = slot + byte;
    if (byte == SPK_HYBRID_CONTINUES && !go_on(w, &distances, &even)) return false;
    byte = *distances++;
    slot = even + byte;
    if (byte == SPK_HYBRID_CONTINUES && !go_on(w, &distances, &slot)) return false;
    if (slot > last) {
      w->known[0] = even;
      w->known[1] = slot;
      w->n_known = 2;
      break;
    }
    const uint32_t pair = *codes++;
    const uint32_t even_stride = first_stride + (pair >> 4), odd_stride = first_stride + (pair & 15u);
    if (size == 8u) { /* in lanes of 16 bits these are a whole vector */
      vstrbq_scatter_offset_u16(even, vmulq_n_u16(iota8, (uint16_t)even_stride), vldrbq_u16(values));
      vstrbq_scatter_offset_u16(slot, vmulq_n_u16(iota8, (uint16_t)odd_stride), vldrbq_u16(values + 8));
    } else {
      const uint8x16_t even_offsets = vmulq_n_u8(iota, (uint8_t)even_stride);
      const uint8x16_t odd_offsets = vmulq_n_u8(iota, (uint8_t)odd_stride);
      const uint8x16_t even_values = vldrbq_u8(values), odd_values = vldrbq_u8(values + size);
      if (size == LANES) {
        vstrbq_scatter_offset_u8(even, even_offsets, even_values);
        vstrbq_scatter_offset_u8(slot, odd_offsets, odd_values);
      } else {
        vstrbq_scatter_offset_p_u8(even, even_offsets, even_values, lanes);
        vstrbq_scatter_offset_p_u8(slot, odd_offsets, odd_values, lanes);
      }
    }
    values += 2u * size;
  }
  w->left -= 2u * (uint32_t)(codes - w->codes);
  w->slot = slot;
  w->values = values;
  w->codes = codes;
  w->distances = distances;
  return true;
}

/* The sizes of the paper each have their own loop, with everything that depends on the size a constant. */
static SPK_NOINLINE bool decode_16(walk *w) { return decode_pairs(w, 16, w->left); }
static SPK_NOINLINE bool decode_12(walk *w) { return decode_pairs(w, 12, w->left); }
static SPK_NOINLINE bool decode_8(walk *w) { return decode_pairs(w, 8, w->left); }
static SPK_NOINLINE bool decode_any(walk *w) { return decode_pairs(w, w->size, w->left); }

/* One group of four, at any distance. */
SPK_INLINE uint8_t *scatter_four(uint8_t *slot, uint32_t distance, uint32_t stride, const uint8_t *values) {
  slot += distance;
  vstrbq_scatter_offset_u32(slot, vmulq_n_u32(vidupq_n_u32(0, 1), stride), vldrbq_u32(values));
  return slot;
}

/* Groups of four, four at a time: they make one vector where they lie close enough. Lanes 4 g .. 4 g + 3 are group g,
 * in the order in which the values lie. Stops where a distance continues, or a group may lead outside the array. */
static SPK_NOINLINE void decode_fours(walk *w) {
  /* By group: a factor that sums up its distances in the highest byte; a shift of its code to the highest nibble. */
  static const uint32_t factors[4] = {0, 0x10000u, 0x10100u, 0x10101u};
  static const int32_t shifts[4] = {24, 28, 16, 20};
  const uint32x4_t sum = vldrwq_u32(factors), spread = vdupq_n_u32(0x01010101u);
  const int32x4_t shift = vldrwq_s32(shifts);
  const uint32_t least = w->first_stride * 0x03020100u, max_span = 255u - 3u * (w->first_stride + 15u);
  uint8_t *slot = w->slot;
  uint8_t *const last = w->last;
  const uint8_t *distances = w->distances, *codes = w->codes, *values = w->values;
  uint32_t fours = w->left / 4u;
  for (; fours; fours--) {
    uint32_t word;
    uint16_t code;
    __builtin_memcpy(&word, distances, 4);
    /* The first distance moves the origin, the sums of the others are the starts from there. Every core with Helium has
     * usad8 as well, which here sums up all bytes but the first. */
    const uint32_t first = word & 0xFFu, span = __usad8(word, first);
    uint8_t *const end = slot + first + span;
    if (first == SPK_HYBRID_CONTINUES || end > last) break;
    __builtin_memcpy(&code, codes, 2);
    if (span <= max_span) {
      const uint32x4_t start = vshrq_n_u32(vmulq_n_u32(sum, word - first), 24);
      const uint32x4_t stride = vshrq_n_u32(vshlq_u32(vdupq_n_u32(code), shift), 28);
      /* A multiplication spreads a byte over the four elements of its group. */
      const uint32x4_t origin = vmlasq_n_u32(start, spread, least);
      const uint32x4_t offsets = vmlaq_n_u32(origin, stride, 0x03020100u);
      vstrbq_scatter_offset_u8(slot + first, vreinterpretq_u8_u32(offsets), vldrbq_u8(values));
    } else {
      if (distances[1] == SPK_HYBRID_CONTINUES || distances[2] == SPK_HYBRID_CONTINUES ||
          distances[3] == SPK_HYBRID_CONTINUES)
        break;
      slot = scatter_four(slot, first, w->first_stride + (uint32_t)(code >> 4 & 15), values);
      slot = scatter_four(slot, distances[1], w->first_stride + (uint32_t)(code & 15), values + 4);
      slot = scatter_four(slot, distances[2], w->first_stride + (uint32_t)(code >> 12), values + 8);
      scatter_four(slot, distances[3], w->first_stride + (uint32_t)(code >> 8 & 15), values + 12);
    }
    slot = end;
    distances += 4;
    codes += 2;
    values += 16;
  }
  w->left = w->left % 4u + 4u * fours;
  w->slot = slot;
  w->distances = distances;
  w->codes = codes;
  w->values = values;
}

static SPK_NOINLINE bool decode_4(walk *w) {
  while (w->left >= 2u && w->n_known == 0) {
    decode_fours(w);
    if (!decode_pairs(w, 4, spk_min_u32(w->left, 4u))) return false;
  }
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
  w.dst = w.slot = (uint8_t *)dst;
  w.n = n;
  w.left = n_groups;
  w.size = size;
  w.first_stride = s->first_stride;
  w.n_known = 0;
  w.spare = (uint32_t)(n_distances - n_groups);
  w.values = s->values;
  w.codes = s->codes;
  w.distances = s->distances;
  /* A vector that starts within the values of this class ends within the tile. */
  const bool can_overread = (size_t)(s->tile_end - s->values) >= (size_t)n_groups * size + LANES;
  if (n > reach && can_overread) {
    w.last = w.dst + (n - 1u - reach);
    bool (*const decode)(walk *) = size == 16u   ? decode_16
                                   : size == 12u ? decode_12
                                   : size == 8u  ? decode_8
                                   : size == 4u  ? decode_4
                                                 : decode_any;
    if (!decode(&w)) return false;
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
