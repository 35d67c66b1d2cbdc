/* hybrid on Helium: a group is one multiplication (lane number times stride), one load and one scatter.
 * docs/format.md, section 7.
 *
 * Starts ascend. Up to the last one at which no stride can lead outside the array, a pair of groups is compared with
 * that place once; the few groups behind it are checked one by one.
 */
#include "../spk_internal.h"

#if SPK_HELIUM
#include "../spk_hybrid.h"
#include "spk_mve.h"

enum { LANES = 16 };

/* Where the walk over the groups of one class stands. */
typedef struct walk {
  int8_t *dst;
  uint32_t n, left, size, first_stride; /* left: groups */
  uint32_t start, spare;                /* spare: distance bytes beyond one for each group */
  const uint8_t *values, *codes, *distances, *distances_end;
} walk;

/* A distance that continues: moves slot on to its end. False where that leads beyond last, or the distances end. */
SPK_INLINE bool go_on(walk *w, const uint8_t **distances, uint8_t **slot, const uint8_t *last) {
  uint32_t byte;
  do {
    if (w->spare == 0 || *slot > last) return false;
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
  for (bool odd = false; w->left; w->left--, odd = !odd) {
    uint32_t byte;
    do {
      if (w->distances == w->distances_end) return false;
      byte = *w->distances++;
      if (byte > w->n - w->start) return false;
      w->start += byte;
    } while (byte == SPK_HYBRID_CONTINUES);
    const uint32_t stride = w->first_stride + (odd ? *w->codes++ & 15u : *w->codes >> 4);
    if ((w->size - 1u) * stride >= w->n - w->start) return false;
    const uint8x16_t offsets = vmulq_n_u8(iota, (uint8_t)stride);
    vstrbq_scatter_offset_p_u8((uint8_t *)w->dst + w->start, offsets, vldrbq_z_u8(w->values, lanes), lanes);
    w->values += w->size;
    if (!odd && w->left == 1u) w->codes++;
  }
  return true;
}

/* Pairs of groups up to limit. There is no call in the loop, and what it needs only rarely it leaves in memory: the
 * compiler then keeps the rest in registers. Values are loaded 16 at a time, whatever the size. */
static SPK_NOINLINE void decode_pairs(walk *w, uint32_t limit) {
  const uint32_t size = w->size, first_stride = w->first_stride;
  const mve_pred16_t lanes = vctp8q(size);
  const uint8x16_t iota = spk_iota();
  uint8_t *slot = (uint8_t *)w->dst + w->start;
  const uint8_t *const last = (const uint8_t *)w->dst + limit;
  const uint8_t *values = w->values, *codes = w->codes, *distances = w->distances;
  uint32_t pairs = w->left / 2u;
  for (; pairs; pairs--) {
    const uint8_t *next = distances;
    uint8_t *even = slot, *odd;
    uint32_t byte = *next++;
    even += byte;
    if (byte == SPK_HYBRID_CONTINUES && !go_on(w, &next, &even, last)) break;
    byte = *next++;
    odd = even + byte;
    if (byte == SPK_HYBRID_CONTINUES && !go_on(w, &next, &odd, last)) break;
    if (odd > last) break;
    const uint32_t pair = *codes++;
    const uint8x16_t even_values = vldrbq_u8(values), odd_values = vldrbq_u8(values + size);
    values += 2u * size;
    vstrbq_scatter_offset_p_u8(even, vmulq_n_u8(iota, (uint8_t)(first_stride + (pair >> 4))), even_values, lanes);
    vstrbq_scatter_offset_p_u8(odd, vmulq_n_u8(iota, (uint8_t)(first_stride + (pair & 15u))), odd_values, lanes);
    distances = next;
    slot = odd;
  }
  w->left = w->left % 2u + 2u * pairs;
  w->start = (uint32_t)(slot - (uint8_t *)w->dst);
  w->values = values;
  w->codes = codes;
  w->distances = distances;
}

static bool decode_class(spk_hybrid_streams *s, uint32_t record, uint32_t n, int8_t *dst) {
  const uint32_t size = record & 0xFFu;
  /* What does not fit a vector, or a byte of offset, is not worth another path. */
  const uint32_t reach = (size - 1u) * (s->first_stride + 15u);
  if (s->wide || size > LANES || reach > 255u) {
    return spk_hybrid_walk_class(s, record, n, dst);
  }
  const uint32_t n_groups = record >> 8, n_distances = (uint32_t)(s->distances_end - s->distances);
  if (n_distances < n_groups) return false;
  const uint32_t spare = n_distances - n_groups;
  walk w = {dst, n, n_groups, size, s->first_stride, 0, spare, s->values, s->codes, s->distances, s->distances_end};
  /* A vector that starts within the values of this class ends within the tile. */
  const bool can_overread = (size_t)(s->tile_end - s->values) >= (size_t)n_groups * size + LANES;
  if (n > reach && can_overread) decode_pairs(&w, n - 1u - reach);
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
