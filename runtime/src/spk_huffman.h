/* SPDX-License-Identifier: Apache-2.0 */
/* The streams of a huffman tile, and what its scalar and its Helium decoder do after the codes are read.
 * docs/format.md, section 10. */
#ifndef SPK_HUFFMAN_H
#define SPK_HUFFMAN_H

#include "spk_internal.h"
#include "spk_ranks.h"
#include "spk_value_bins.h"

enum { SPK_HUFFMAN_CHUNK = 256 }; /* elements that are decoded at a time: whole groups of raw bits */

typedef struct spk_huffman_streams {
  uint32_t n;                /* elements stored */
  uint32_t value_raw;        /* raw bits of a value */
  uint32_t n_gaps, n_values; /* symbols; codes only where there are more than one. No gaps: positions are a bitmap */
  spk_value_bins bins;
  const uint8_t *lengths;      /* of the codes of gaps and then values, 4 bits each, unless there is a */
  spk_description description; /* of so many bits: of values and then gaps, read in this order */
  const uint8_t *positions, *value_codes, *value_bits;
  uint32_t positions_size, value_codes_size; /* bytes */
} spk_huffman_streams;

enum {
  SPK_HUFFMAN_PAIR_BITS = 10, /* that a lookup of pairs looks at: codes that do not fit have 11 or 12 */
  SPK_HUFFMAN_PAIRS = (1 << SPK_HUFFMAN_PAIR_BITS) + 3, /* with what is written behind the last one */
  SPK_HUFFMAN_PAIR_TURN = 5,                            /* such lookups in two words */
  SPK_HUFFMAN_PAIR_TURN_SYMBOLS = 10                    /* that they may give */
};

/* What a lookup gives: meanings of symbols, the first in the low byte; the bits that their codes have in the low byte
 * of step, and their number above. A step of 0 says that the first code is longer. */
typedef struct spk_huffman_entry {
  uint32_t meanings, step;
} spk_huffman_entry;

/* A code, and where it is read. A lookup gives up to four symbols, or, with Helium and where most codes are longer than
 * half of what it looks at, a pair. */
typedef struct spk_huffman_decoder {
  spk_huffman_entry *fours; /* 256, or null */
  uint32_t *pairs;          /* 1024, or null: bits in the low byte, the number of symbols above, then their meanings */
  /* Codes of at most that length, followed by zeros up to 12 bits, lie below the end. The base, added to a code of that
   * length, makes its number, modulo 2^32. */
  uint32_t end[SPK_HUFFMAN_MAX_LENGTH + 1], base[SPK_HUFFMAN_MAX_LENGTH + 1];
  uint8_t meanings[256]; /* of the symbols that have a code, by its number; or of the only symbol */
  bool has_codes;
  const uint8_t *next, *stream_end;
  uint32_t bit;   /* of the next byte, 0 to 7 */
  uint32_t ready; /* symbols decoded already, for the next chunk */
} spk_huffman_decoder;

#if SPK_HELIUM
/* The pair for every index. lengths: of the codes by their numbers, and a longer one than any index behind. */
void spk_huffman_build_pairs(uint32_t *pairs, const uint8_t *meanings, const uint8_t *lengths);

/* Symbols from next on until there are some up to end, or fewer than 8 bytes of the stream are left. Returns where they
 * end: before end + SPK_HUFFMAN_PAIR_TURN_SYMBOLS. */
uint8_t *spk_huffman_decode_pairs(spk_huffman_decoder *d, uint8_t *next, const uint8_t *end);
#endif

/* Adds the raw bits of count values to their lowest values: whole groups, unless they are the last. */
void spk_huffman_add_raw_bits(uint8_t *values, uint32_t count, const uint8_t *raw_bits, uint32_t value_raw);

/* The same for a group that is not whole. */
SPK_INLINE void spk_huffman_add_last_raw_bits(uint8_t *values, uint32_t count, const uint8_t *raw_bits,
                                              uint32_t value_raw) {
  const uint32_t n_bytes = spk_ceil_div(count * value_raw, 8), mask = (1u << value_raw) - 1u;
  SPK_NO_UNROLL
  for (uint32_t i = 0, byte = 0, shift = 0; i < count; i++, byte++) {
    if (byte == n_bytes) {
      byte = 0;
      shift += value_raw;
    }
    values[i] = (uint8_t)(values[i] + (raw_bits[byte] >> shift & mask));
  }
}

/* Stores count values, each its gap behind the one before. position: one behind the last one stored, and then the new
 * one. Returns false, and may have stored some, where one would lie at n or behind. */
bool spk_huffman_scatter(int8_t *dst, uint32_t n, uint32_t *position, const uint8_t *gaps, const uint8_t *values,
                         uint32_t count);

/* The same, four by four. */
SPK_INLINE bool spk_huffman_store(int8_t *dst, uint32_t n, uint32_t *position, const uint8_t *gaps,
                                  const uint8_t *values, uint32_t count) {
  int8_t *at = dst + *position - 1; /* of the element before */
  int8_t *const last = dst + n - 1;
  const uint8_t *const end = gaps + count, *const fours_end = end - count % 4u;
  while (gaps != fours_end) {
    /* Byte i: the sum of the gaps up to i. Four times the longest gap fits a byte. */
    const uint32_t offsets = spk_load_u32(gaps) * 0x01010101u;
    int8_t *const origin = at;
    if (offsets >> 24 > (uint32_t)(last - at)) return false;
    at += offsets >> 24;
    origin[offsets & 255u] = (int8_t)values[0];
    origin[offsets >> 8 & 255u] = (int8_t)values[1];
    origin[offsets >> 16 & 255u] = (int8_t)values[2];
    *at = (int8_t)values[3];
    gaps += 4;
    values += 4;
  }
  while (gaps != end) {
    if (*gaps > last - at) return false;
    at += *gaps++;
    *at = (int8_t)*values++;
  }
  *position = (uint32_t)(at - dst) + 1u;
  return true;
}

#endif
