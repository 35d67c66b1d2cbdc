/* SPDX-License-Identifier: Apache-2.0 */
/* rle: 4-bit distances from element to element. docs/format.md, section 5. */
#include "spk_rle.h"

#ifndef SPK_WITHOUT_RLE

/* Eight pairs of elements, and how many places they take at most: so far from the end no position needs a check. */
enum { BLOCK_PAIRS = 8, BLOCK_REACH = BLOCK_PAIRS * 2 * 16 };

/* A block. dst is one behind the previous element; returns one behind the last one. Only what the distances say is
 * added up: what each element adds by itself is a constant of its store. */
SPK_INLINE int8_t *put_block(const uint8_t *distances, const uint8_t *values, int8_t *dst) {
  for (uint32_t i = 0; i < 2u * BLOCK_PAIRS; i += 2) {
    const uint32_t pair = *distances++;
    dst += pair >> 4;
    dst[i] = (int8_t)values[i];
    dst += pair & 15u;
    dst[i + 1u] = (int8_t)values[i + 1u];
  }
  return dst + 2u * BLOCK_PAIRS;
}

SPK_INLINE spk_status walk(const spk_tile *tile, int8_t *dst, bool write) {
  spk_rle_streams s;
  if (!spk_rle_open(tile, &s)) return SPK_ERROR_STREAM;
  const uint8_t *distances = s.distances, *values = s.values;
  uint32_t next = 0, left = s.k; /* one behind the previous element; next <= n */

  if (write) {
    memset(dst, 0, tile->n);
    for (; left >= 2u * BLOCK_PAIRS && tile->n - next >= BLOCK_REACH; left -= 2u * BLOCK_PAIRS) {
      next = (uint32_t)(put_block(distances, values, dst + next) - dst);
      distances += BLOCK_PAIRS;
      values += 2u * BLOCK_PAIRS;
    }
  }
  for (; left >= 2u; left -= 2u) {
    const uint32_t pair = *distances++;
    const uint32_t even = next + (pair >> 4), odd = even + 1u + (pair & 15u);
    if (odd >= tile->n) return SPK_ERROR_STREAM;
    if (write) {
      dst[even] = (int8_t)values[0];
      dst[odd] = (int8_t)values[1];
    }
    values += 2;
    next = odd + 1u;
  }
  if (left) {
    const uint32_t last = next + (*distances >> 4);
    if (last >= tile->n) return SPK_ERROR_STREAM;
    if (write) dst[last] = (int8_t)*values;
  }
  return SPK_OK;
}

#if !SPK_HELIUM && !SPK_RVV
spk_status spk_rle_decode(const spk_tile *tile, int8_t *dst) { return walk(tile, dst, true); }
#endif

spk_status spk_rle_validate(const spk_tile *tile) { return walk(tile, NULL, false); }

#endif
