/* SPDX-License-Identifier: Apache-2.0 */
/* psr: absolute 8-bit columns in blocks of 256. docs/format.md, section 4. */
#include "spk_psr.h"

#ifndef SPK_WITHOUT_PSR
#if SPK_RVV
#include "rvv/spk_rvv.h"
#endif

/* Values of a whole block. */
SPK_INLINE void put(int8_t *dst, const uint8_t *columns, const uint8_t *values, uint32_t count) {
#if SPK_RVV
  spk_store_at(dst, columns, values, count);
#else
  for (uint32_t i = 0; i < count; i++) dst[columns[i]] = (int8_t)values[i];
#endif
}

SPK_INLINE spk_status walk(const spk_tile *tile, int8_t *dst, bool write) {
  spk_psr_streams s;
  if (!spk_psr_open(tile, &s)) return SPK_ERROR_STREAM;
  const uint8_t *counts = s.counts, *columns = s.columns, *values = s.values;
  uint32_t columns_left = s.columns_left, spare = s.spare;

  if (write) memset(dst, 0, tile->n);
  for (uint32_t left = tile->n; left;) {
    const uint32_t length = spk_min_u32(left, SPK_PSR_BLOCK);
    const uint32_t count = *counts++;
    if (count == SPK_PSR_WHOLE) {
      if (length > spare) return SPK_ERROR_STREAM;
      if (write) memcpy(dst, values, length);
      values += length;
      spare -= length;
    } else {
      if (count > columns_left) return SPK_ERROR_STREAM;
      /* A byte cannot point outside a whole block, only outside the last one. */
      if (length < SPK_PSR_BLOCK) {
        for (uint32_t i = 0; i < count; i++) {
          const uint32_t column = columns[i];
          if (column >= length) return SPK_ERROR_STREAM;
          if (write) dst[column] = (int8_t)values[i];
        }
      } else if (write) {
        put(dst, columns, values, count);
      }
      columns += count;
      columns_left -= count;
      values += count;
    }
    if (write) dst += length;
    left -= length;
  }
  return columns_left == 0 && spare < 4u ? SPK_OK : SPK_ERROR_STREAM;
}

#if !SPK_HELIUM
spk_status spk_psr_decode(const spk_tile *tile, int8_t *dst) { return walk(tile, dst, true); }
#endif

spk_status spk_psr_validate(const spk_tile *tile) { return walk(tile, NULL, false); }

#endif
