/* SPDX-License-Identifier: Apache-2.0 */
/* huffman on Helium: raw bits are added and values stored 16 at a time. Codes are read by lookups, as without vectors:
 * each waits for the one before. But there is an instruction that shifts two words at once, so that five lookups can
 * look at 10 bits each. docs/format.md, section 10.
 */
#include "../spk_internal.h"

#if SPK_HELIUM && !defined(SPK_WITHOUT_HUFFMAN)
#include "../spk_huffman.h"
#include "spk_mve.h"

SPK_INLINE void store_u16(uint8_t *p, uint32_t word) {
  const uint16_t half = (uint16_t)word;
  __builtin_memcpy(p, &half, sizeof half); /* anywhere: cores with Helium can */
}

void spk_huffman_add_raw_bits(uint8_t *values, uint32_t count, const uint8_t *raw_bits, uint32_t value_raw) {
  if (value_raw == 4u) {
    for (; count >= 32u; count -= 32u, values += 32, raw_bits += 16) {
      const uint8x16_t raw = vldrbq_u8(raw_bits);
      vstrbq_u8(values, vaddq_u8(vldrbq_u8(values), vandq_u8(raw, vdupq_n_u8(15))));
      vstrbq_u8(values + 16, vaddq_u8(vldrbq_u8(values + 16), vshrq_n_u8(raw, 4)));
    }
  } else {
    for (; count >= 64u; count -= 64u, values += 64, raw_bits += 16) {
      const uint8x16_t raw = vldrbq_u8(raw_bits), mask = vdupq_n_u8(3);
      vstrbq_u8(values, vaddq_u8(vldrbq_u8(values), vandq_u8(raw, mask)));
      vstrbq_u8(values + 16, vaddq_u8(vldrbq_u8(values + 16), vandq_u8(vshrq_n_u8(raw, 2), mask)));
      vstrbq_u8(values + 32, vaddq_u8(vldrbq_u8(values + 32), vandq_u8(vshrq_n_u8(raw, 4), mask)));
      vstrbq_u8(values + 48, vaddq_u8(vldrbq_u8(values + 48), vshrq_n_u8(raw, 6)));
    }
  }
  spk_huffman_add_last_raw_bits(values, count, raw_bits, value_raw);
}

/* The same pair up to end, and up to three times more, over which the next ones are written. */
SPK_INLINE uint32_t *fill(uint32_t *next, uint32_t *end, uint32_t pair) {
  const uint32x4_t four = vdupq_n_u32(pair);
  do {
    vstrwq_u32(next, four);
    next += 4;
  } while (next < end);
  return end;
}

void spk_huffman_build_pairs(uint32_t *pairs, const uint8_t *meanings, const uint8_t *lengths) {
  uint32_t *next = pairs, *const end = pairs + (1u << SPK_HUFFMAN_PAIR_BITS);
  for (uint32_t i = 0; lengths[i] <= SPK_HUFFMAN_PAIR_BITS; i++) {
    const uint32_t room = SPK_HUFFMAN_PAIR_BITS - lengths[i];
    const uint32_t one = (uint32_t)meanings[i] << 16 | 1u << 8 | lengths[i];
    uint32_t *const one_end = next + (1u << room);
    for (uint32_t j = 0; lengths[j] <= room; j++) {
      const uint32_t two = one + ((uint32_t)meanings[j] << 24 | 1u << 8 | lengths[j]);
      next = fill(next, next + (1u << (room - lengths[j])), two);
    }
    if (next != one_end) next = fill(next, one_end, one);
  }
  if (next != end) fill(next, end, 0);
}

/* Turns of lookups as long as nobody has to look where they end: each gives 10 symbols at most, and of the 8 bytes that
 * it looks at it takes 7 at most. A long code takes the place of the last lookup. */
SPK_NOINLINE uint8_t *spk_huffman_decode_pairs(spk_huffman_decoder *d, uint8_t *next, const uint8_t *end) {
  const uint32_t *const pairs = d->pairs;
  const uint8_t *stream = d->next;
  uint32_t bit = d->bit;
  while (next < end) {
    uint32_t turns = ((uint32_t)(end - next) + SPK_HUFFMAN_PAIR_TURN_SYMBOLS - 1u) / SPK_HUFFMAN_PAIR_TURN_SYMBOLS;
    turns = spk_min_u32(turns, (uint32_t)(d->stream_end - stream) / 8u);
    if (turns == 0) break;
    SPK_NO_UNROLL
    for (; turns; turns--) {
      uint64_t window = lsll((uint64_t)spk_load_u32_be(stream) << 32 | spk_load_u32_be(stream + 4), (int32_t)bit);
      uint32_t pair = 0, sum = bit; /* of bits, and of symbols from bit 8 on: less than 256 of either */
#pragma GCC unroll 5
      for (uint32_t i = 0; i < SPK_HUFFMAN_PAIR_TURN; i++) {
        pair = pairs[window >> (64 - SPK_HUFFMAN_PAIR_BITS)];
        window = lsll(window, (int32_t)pair); /* by the low byte */
        uint8_t *const at = i == 0 ? next : next + (sum >> 8 & 255u);
        sum += pair;
        store_u16(at, pair >> 16);
      }
      next += sum >> 8 & 255u;
      bit = sum & 255u;
      if (__builtin_expect(pair == 0, 0)) { /* so that the loop is laid out as a low-overhead one */
        const uint32_t code = (uint32_t)(window >> (64 - SPK_HUFFMAN_MAX_LENGTH));
        const uint32_t length =
            SPK_HUFFMAN_PAIR_BITS + 1u + (code >= d->end[SPK_HUFFMAN_PAIR_BITS + 1u]); /* at most 12 bits */
        *next++ = d->meanings[d->base[length] + (code >> (SPK_HUFFMAN_MAX_LENGTH - length))];
        bit += length;
      }
      stream += bit / 8u;
      bit %= 8u;
    }
  }
  d->next = stream;
  d->bit = bit;
  return next;
}

/* 16 values whose offsets may not fit a byte. */
SPK_NOINLINE static bool store_16(int8_t *dst, uint32_t n, uint32_t *position, const uint8_t *gaps,
                                  const uint8_t *values) {
  return spk_huffman_store(dst, n, position, gaps, values, 16);
}

bool spk_huffman_scatter(int8_t *dst, uint32_t n, uint32_t *position, const uint8_t *gaps, const uint8_t *values,
                         uint32_t count) {
  uint32_t at = *position;
  for (; count >= 16u; count -= 16u, gaps += 16, values += 16) {
    const uint8x16_t gap = vldrbq_u8(gaps);
    const uint32_t sum = vaddvq_u8(gap);
    if (sum > 255u) {
      if (!store_16(dst, n, &at, gaps, values)) return false;
      continue;
    }
    int8_t *const before = dst - 1 + at;
    at += sum;
    if (at > n) return false;
    vstrbq_scatter_offset_u8((uint8_t *)before, spk_prefix_sum(gap), vldrbq_u8(values));
  }
  *position = at;
  return spk_huffman_store(dst, n, position, gaps, values, count);
}

#endif
