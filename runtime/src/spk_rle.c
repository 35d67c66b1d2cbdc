/* rle: 4-bit distances from element to element. docs/format.md, section 5. */
#include "spk_rle.h"

/* Eight pairs of elements, and how many places they take at most: so far from the end no position needs a check. */
enum { BLOCK_PAIRS = 8, BLOCK_REACH = BLOCK_PAIRS * 2 * 16 };

/* A pair of distances and its values: next is one behind the previous element, and what is returned one behind the last
 * one of the pair. */
SPK_INLINE uint32_t put_pair(uint32_t pair, const uint8_t *values, int8_t *dst, uint32_t next, bool write) {
  const uint32_t even = next + (pair >> 4);
  const uint32_t odd = even + 1u + (pair & 15u);
  if (write) {
    dst[even] = (int8_t)values[0];
    dst[odd] = (int8_t)values[1];
  }
  return odd + 1u;
}

SPK_INLINE spk_status walk(const spk_tile *tile, int8_t *dst, bool write) {
  spk_rle_streams s;
  if (!spk_rle_open(tile, &s)) return SPK_ERROR_STREAM;
  const uint8_t *distances = s.distances, *values = s.values;
  uint32_t next = 0, left = s.k; /* next <= n */

  if (write) memset(dst, 0, tile->n);
  for (; left >= 2u * BLOCK_PAIRS && tile->n - next >= BLOCK_REACH; left -= 2u * BLOCK_PAIRS) {
    for (uint32_t i = 0; i < BLOCK_PAIRS; i++) {
      next = put_pair(*distances++, values, dst, next, write);
      values += 2;
    }
  }
  for (; left >= 2u; left -= 2u) {
    const uint32_t pair = *distances++;
    if (next + (pair >> 4) + 1u + (pair & 15u) >= tile->n) return SPK_ERROR_STREAM;
    next = put_pair(pair, values, dst, next, write);
    values += 2;
  }
  if (left) {
    const uint32_t last = next + (*distances >> 4);
    if (last >= tile->n) return SPK_ERROR_STREAM;
    if (write) dst[last] = (int8_t)*values;
  }
  return SPK_OK;
}

#if !SPK_HELIUM
spk_status spk_rle_decode(const spk_tile *tile, int8_t *dst) { return walk(tile, dst, true); }
#endif

spk_status spk_rle_validate(const spk_tile *tile) { return walk(tile, NULL, false); }
