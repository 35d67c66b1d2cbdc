/* rle on Helium: the chain of distances becomes 16 offsets at a time by a prefix sum. docs/format.md, section 5.
 *
 * 16 distances sum up to 256 at most, so that the offsets from one behind the previous element fit a byte.
 */
#include "../spk_internal.h"

#if SPK_HELIUM
#include "../spk_rle.h"
#include "spk_mve.h"

spk_status spk_rle_decode(const spk_tile *tile, int8_t *dst) {
  spk_rle_streams s;
  if (!spk_rle_open(tile, &s)) return SPK_ERROR_STREAM;
  const uint32_t k = s.k;
  const uint8_t *distances = s.distances, *values = s.values;

  spk_fill_zero(dst, tile->n);
  const uint8x16_t iota = spk_iota();
  uint32_t next = 0; /* one behind the previous element; next <= n */
  for (uint32_t vectors = k / 16u; vectors; vectors--) {
    /* Eight bytes, one in each halfword: first upper nibble, then lower nibble. */
    const uint16x8_t bytes = vldrbq_u16(distances);
    const uint16x8_t nibbles = vsliq_n_u16(vshrq_n_u16(bytes, 4), bytes, 8);
    const uint8x16_t gaps = vandq_u8(vreinterpretq_u8_u16(nibbles), vdupq_n_u8(15));
    const uint8x16_t offsets = vaddq_u8(spk_prefix_sum(gaps), iota);
    const uint32_t last = next + vgetq_lane_u8(offsets, 15);
    if (last >= tile->n) return SPK_ERROR_STREAM;
    vstrbq_scatter_offset_u8((uint8_t *)dst + next, offsets, vldrbq_u8(values));
    next = last + 1u;
    distances += 8;
    values += 16;
  }
  for (uint32_t i = 0; i < k % 16u; i++) {
    const uint32_t position = next + (distances[i / 2u] >> (i % 2u == 0 ? 4 : 0) & 15u);
    if (position >= tile->n) return SPK_ERROR_STREAM;
    dst[position] = (int8_t)*values++;
    next = position + 1u;
  }
  return SPK_OK;
}

#endif
