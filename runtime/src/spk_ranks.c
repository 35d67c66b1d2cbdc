/* SPDX-License-Identifier: Apache-2.0 */
/* The short description of a table. docs/format.md, section 9. */
#include "spk_ranks.h"

#if !defined(SPK_WITHOUT_RANS) || !defined(SPK_WITHOUT_HUFFMAN)

enum { WINDOW_BITS = 25 }; /* that are there whatever bit of a byte they start at */

/* The same where bytes are missing, which are ones. */
SPK_NOINLINE static uint32_t last_window(const spk_description *d) {
  uint32_t word = 0;
  for (uint32_t i = 0, byte = d->bit / 8u; i < 4u; i++, byte++) {
    word = word << 8 | (byte < d->n_bits / 8u ? d->data[byte] : 255u);
  }
  return word << d->bit % 8u;
}

/* 32 bits from the next one on, of which WINDOW_BITS are right. Ones follow the last. */
SPK_INLINE uint32_t window(const spk_description *d) {
  const uint32_t bit = d->bit;
  if (bit + 32u > d->n_bits) return last_window(d);
  return spk_load_u32_be(d->data + bit / 8u) << bit % 8u;
}

SPK_INLINE uint32_t leading_zeros(uint32_t word) {
#if SPK_THUMB2
  return (uint32_t)__builtin_clz(word);
#else
  uint32_t count = 0;
  for (; word >> 31 == 0; word <<= 1) count++;
  return count;
#endif
}

/* Number of zero bits in front of a one, which is taken as well. */
static uint32_t take_zeros(spk_description *d) {
  uint32_t count = 0, word;
  while ((word = window(d)) >> (32 - WINDOW_BITS) == 0) {
    count += WINDOW_BITS;
    d->bit += WINDOW_BITS;
  }
  const uint32_t zeros = leading_zeros(word);
  d->bit += zeros + 1u;
  return count + zeros;
}

static uint32_t take_bits(spk_description *d, uint32_t count) {
  const uint32_t bits = window(d) >> (32u - count);
  d->bit += count;
  return bits;
}

bool spk_read_ranks(spk_description *d, const uint8_t *entries, uint8_t *to, uint32_t n) {
  uint32_t rank = take_bits(d, 4);
  for (;;) {
    /* A run of 2^digits or more has as many digits, and as many zeros in front. */
    const uint32_t word = window(d);
    if (word >> (32 - 9) == 0) return false;
    const uint32_t digits = leading_zeros(word), run_bits = 2u * digits + 1u, run = word >> (32u - run_bits);
    d->bit += run_bits;
    if (run > n) return false;
    n -= run;
    const uint32_t entry = entries[rank];
    const uint8_t *const end = to + run;
    SPK_NO_UNROLL
    do {
      *to++ = (uint8_t)entry;
      SPK_KEEP(to);
    } while (to != end);
    if (n == 0) return d->bit <= d->n_bits;
    /* The bits of the step lie in the same window, unless there are many. */
    uint32_t zeros = leading_zeros(word << run_bits | 1u);
    if (run_bits + zeros < WINDOW_BITS) {
      d->bit += zeros + 1u;
    } else {
      zeros = take_zeros(d);
    }
    const uint32_t step = zeros / 2u + 1u;
    rank = zeros % 2u == 0 ? rank + step : rank - step;
    if (rank > 15u) return false;
  }
}

bool spk_read_value_ranks(spk_description *d, const spk_value_bins *bins, const uint8_t *entries, uint8_t *to,
                          uint32_t n) {
  const uint32_t n_positive = bins->n_positive, n_negative = bins->n_negative, n_signed = n_positive + n_negative;
  if (take_bits(d, 1) == 0) return spk_read_ranks(d, entries, to, n);
  const uint32_t n_magnitudes = n_positive > n_negative ? n_positive : n_negative, has_zero = n - n_signed;
  if (!spk_read_ranks(d, entries, to, n_magnitudes + has_zero)) return false;
  const uint8_t zero = to[n_magnitudes + has_zero - 1u];
  for (uint32_t i = n_negative; i-- > 0;) to[n_positive + i] = to[i];
  if (has_zero != 0) to[n_signed] = zero;
  return true;
}

#endif
