/* SPDX-License-Identifier: Apache-2.0 */
/* rle on Helium: the chain of distances becomes 16 offsets at a time by a prefix sum. docs/format.md, section 5.
 *
 * 16 elements take up to 256 places, so that the offsets from one behind the previous element fit a byte.
 */
#include "../spk_internal.h"

#if SPK_HELIUM && !defined(SPK_WITHOUT_RLE)
#include "../spk_rle.h"
#include "spk_mve.h"

/* Sixteen elements as offsets from one behind the previous element. */
SPK_INLINE uint8x16_t load_offsets(const uint8_t *distances) {
  return vaddq_u8(spk_prefix_sum(spk_load_nibbles(distances)), spk_iota());
}

spk_status spk_rle_decode(const spk_tile *tile, int8_t *dst) {
  spk_rle_streams s;
  if (!spk_rle_open(tile, &s)) return SPK_ERROR_STREAM;
  const uint32_t k = s.k, n = tile->n;
  const uint8_t *distances = s.distances, *values = s.values;

  spk_fill_zero(dst, n);
  uint32_t next = 0; /* one behind the previous element; next <= n */
  uint32_t vectors = k / 16u;
  for (;;) {
    /* So many vectors cannot lead outside the array, whatever their distances. */
    const uint32_t sure = spk_min_u32(vectors, (n - next) / 256u);
    if (sure == 0) break;
    for (uint32_t i = sure; i; i--) {
      const uint8x16_t offsets = load_offsets(distances);
      vstrbq_scatter_offset_u8((uint8_t *)dst + next, offsets, vldrbq_u8(values));
      next += vgetq_lane_u8(offsets, 15) + 1u;
      distances += 8;
      values += 16;
    }
    vectors -= sure;
  }
  for (; vectors; vectors--) {
    const uint8x16_t offsets = load_offsets(distances);
    const uint32_t last = next + vgetq_lane_u8(offsets, 15);
    if (last >= n) return SPK_ERROR_STREAM;
    vstrbq_scatter_offset_u8((uint8_t *)dst + next, offsets, vldrbq_u8(values));
    next = last + 1u;
    distances += 8;
    values += 16;
  }
  for (uint32_t i = 0; i < k % 16u; i++) {
    const uint32_t position = next + (distances[i / 2u] >> (i % 2u == 0 ? 4 : 0) & 15u);
    if (position >= n) return SPK_ERROR_STREAM;
    dst[position] = (int8_t)*values++;
    next = position + 1u;
  }
  return SPK_OK;
}

#endif
