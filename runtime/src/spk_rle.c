/* rle: 4-bit distances from element to element. docs/format.md, section 5. */
#include "spk_rle.h"

SPK_INLINE spk_status walk(const spk_tile *tile, int8_t *dst, bool write) {
  spk_rle_streams s;
  if (!spk_rle_open(tile, &s)) return SPK_ERROR_STREAM;
  const uint32_t k = s.k;
  const uint8_t *distances = s.distances, *values = s.values;

  if (write) memset(dst, 0, tile->n);
  uint32_t next = 0; /* one behind the previous element; next <= n */
  for (uint32_t i = 0; i + 1 < k; i += 2) {
    const uint32_t pair = *distances++;
    const uint32_t even = next + (pair >> 4);
    const uint32_t odd = even + 1u + (pair & 15u);
    if (odd >= tile->n) return SPK_ERROR_STREAM;
    if (write) {
      dst[even] = (int8_t)values[i];
      dst[odd] = (int8_t)values[i + 1];
    }
    next = odd + 1u;
  }
  if (k % 2u != 0) {
    const uint32_t last = next + (*distances >> 4);
    if (last >= tile->n) return SPK_ERROR_STREAM;
    if (write) dst[last] = (int8_t)values[k - 1u];
  }
  return SPK_OK;
}

#if !SPK_HELIUM
spk_status spk_rle_decode(const spk_tile *tile, int8_t *dst) { return walk(tile, dst, true); }
#endif

spk_status spk_rle_validate(const spk_tile *tile) { return walk(tile, NULL, false); }
