/* SPDX-License-Identifier: Apache-2.0 */
/* What the value symbols of rans and huffman stand for. docs/format.md, section 9. */
#ifndef SPK_VALUE_BINS_H
#define SPK_VALUE_BINS_H

#include "spk_internal.h"

/* Bins of 2^raw_bits magnitudes, from the first of either sign on; the symbol behind them is 0. */
typedef struct spk_value_bins {
  uint32_t raw_bits, n_positive, n_negative, first_positive, first_negative;
} spk_value_bins;

/* The lowest value of a symbol, as a byte. */
SPK_INLINE uint8_t spk_lowest_value(const spk_value_bins *bins, uint32_t symbol) {
  if (symbol < bins->n_positive) return (uint8_t)(bins->first_positive + (symbol << bins->raw_bits));
  symbol -= bins->n_positive;
  if (symbol < bins->n_negative) {
    return (uint8_t)(1u - (1u << bins->raw_bits) - bins->first_negative - (symbol << bins->raw_bits));
  }
  return 0;
}

#endif
