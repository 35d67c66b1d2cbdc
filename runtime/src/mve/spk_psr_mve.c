/* SPDX-License-Identifier: Apache-2.0 */
/* psr on Helium: columns are scatter offsets as they are, 16 at a time. docs/format.md, section 4. */
#include "../spk_internal.h"

#if SPK_HELIUM && !defined(SPK_WITHOUT_PSR)
#include "../spk_psr.h"
#include "spk_mve.h"

/* The last block, if it is shorter than the others: here a column can point outside. */
static spk_status decode_last(uint32_t count, const uint8_t *columns, uint32_t n_columns, const uint8_t *values,
                              uint32_t spare, int8_t *dst, uint32_t length) {
  memset(dst, 0, length);
  if (count == SPK_PSR_WHOLE) {
    if (n_columns != 0 || !spk_ends(length, spare)) return SPK_ERROR_STREAM;
    memcpy(dst, values, length);
    return SPK_OK;
  }
  if (count != n_columns || spare >= 4u) return SPK_ERROR_STREAM;
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t column = columns[i];
    if (column >= length) return SPK_ERROR_STREAM;
    dst[column] = (int8_t)values[i];
  }
  return SPK_OK;
}

spk_status spk_psr_decode(const spk_tile *tile, int8_t *dst) {
  spk_psr_streams s;
  if (!spk_psr_open(tile, &s)) return SPK_ERROR_STREAM;
  const uint8_t *counts = s.counts, *columns = s.columns, *values = s.values;
  uint32_t columns_left = s.columns_left, spare = s.spare;

  for (uint32_t blocks = tile->n / SPK_PSR_BLOCK; blocks; blocks--) {
    const uint32_t count = *counts++;
    if (count == SPK_PSR_WHOLE) {
      if (spare < SPK_PSR_BLOCK) return SPK_ERROR_STREAM;
      memcpy(dst, values, SPK_PSR_BLOCK);
      values += SPK_PSR_BLOCK;
      spare -= SPK_PSR_BLOCK;
    } else {
      if (count > columns_left) return SPK_ERROR_STREAM;
      spk_zero_128(dst);
      spk_zero_128(dst + 128);
      const uint8_t *column = columns, *value = values;
      for (int32_t left = (int32_t)count; left > 0; left -= 16) {
        const mve_pred16_t lanes = vctp8q((uint32_t)left);
        vstrbq_scatter_offset_p_u8((uint8_t *)dst, vldrbq_z_u8(column, lanes), vldrbq_z_u8(value, lanes), lanes);
        column += 16;
        value += 16;
      }
      columns += count;
      columns_left -= count;
      values += count;
    }
    dst += SPK_PSR_BLOCK;
  }
  if (tile->n % SPK_PSR_BLOCK == 0) return columns_left == 0 && spare < 4u ? SPK_OK : SPK_ERROR_STREAM;
  return decode_last(*counts, columns, columns_left, values, spare, dst, tile->n % SPK_PSR_BLOCK);
}

#endif
