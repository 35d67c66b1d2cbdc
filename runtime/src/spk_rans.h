/* SPDX-License-Identifier: Apache-2.0 */
/* The streams of a rans tile, for its scalar and its Helium decoder. docs/format.md, section 9. */
#ifndef SPK_RANS_H
#define SPK_RANS_H

#include "spk_internal.h"
#include "spk_ranks.h"
#include "spk_value_bins.h"

enum {
  SPK_RANS_SLOTS = 256,         /* what the frequencies of a table sum up to */
  SPK_RANS_MOST_DESCRIBED = 64, /* gap symbols in a short description */
  SPK_RANS_LOWEST = 256,        /* where a state ends; below it a byte follows */
  SPK_RANS_STATES = 2,          /* of a block's record: where it has the states of its lanes, and their ends, */
  SPK_RANS_ENDS = SPK_RANS_STATES + 2 * (int)SPK_RANS_LANES /* which their sizes follow */
};

/* The streams, of which the last four move on from block to block. */
typedef struct spk_rans_streams {
  uint32_t value_raw, gap_raw; /* raw bits of a value and of a gap */
  uint32_t n_gaps, n_values;   /* symbols; frequencies and steps only where there are more than one */
  uint32_t jump;               /* 0, or the last gap symbol stands for 2^jump */
  spk_value_bins bins;
  uint32_t block_size, record_size;
  uint32_t end_bytes, size_bytes; /* 1 or 2 for each lane */
  const uint8_t *frequencies;     /* of gaps and then values; or their short description, of */
  uint32_t description_size;      /* so many bytes where that is not 0 */
  const uint8_t *record, *bytes, *value_bits, *gap_bits;
  const uint8_t *bytes_end;                  /* of the stream */
  uint32_t value_bytes_left, gap_bytes_left; /* from value_bits and gap_bits on */
} spk_rans_streams;

/* Elements of a block, which its record starts with. */
SPK_INLINE uint32_t spk_rans_elements(const uint8_t *record) { return spk_load_u16(record); }

SPK_INLINE uint32_t spk_rans_rows(uint32_t elements) { return spk_ceil_div(elements, SPK_RANS_LANES); }

/* One behind the last position of the lane in a block of that length, modulo 2^16: as it is, or its distance from where
 * an even share of the block would end. */
SPK_INLINE uint32_t spk_rans_end(const spk_rans_streams *s, uint32_t lane, uint32_t length) {
  const uint8_t *ends = s->record + SPK_RANS_ENDS;
  if (s->end_bytes == 2u) return spk_load_u16(ends + 2u * lane);
  const uint32_t distance = ((uint32_t)ends[lane] ^ 128u) - 128u;
  return (((lane + 1u) * length / SPK_RANS_LANES) + distance) & UINT16_MAX;
}

/* Bytes of the lane. */
SPK_INLINE uint32_t spk_rans_size(const spk_rans_streams *s, uint32_t lane) {
  const uint8_t *sizes = s->record + SPK_RANS_ENDS + s->end_bytes * SPK_RANS_LANES;
  return s->size_bytes == 2u ? spk_load_u16(sizes + 2u * lane) : sizes[lane];
}

/* Bytes of all lanes of the block. */
SPK_INLINE uint32_t spk_rans_all_sizes(const spk_rans_streams *s) {
  uint32_t sum = 0;
  SPK_NO_UNROLL
  for (uint32_t lane = 0; lane < SPK_RANS_LANES; lane++) sum += spk_rans_size(s, lane);
  return sum;
}

/* Raw bits take these bytes. */
SPK_INLINE uint32_t spk_rans_value_bytes(const spk_rans_streams *s, uint32_t rows) {
  return SPK_RANS_LANES * spk_ceil_div(rows * s->value_raw, 8);
}

/* Whether the raw bits of a block of that many elements are there: they are, unless its record has changed since the
 * streams were found. */
SPK_INLINE bool spk_rans_has(const spk_rans_streams *s, uint32_t elements) {
  const uint32_t rows = spk_rans_rows(elements);
  return spk_rans_value_bytes(s, rows) <= s->value_bytes_left && rows * s->gap_raw <= s->gap_bytes_left;
}

/* On to the next block; elements and bytes: those of this one, which are there. */
SPK_INLINE void spk_rans_next(spk_rans_streams *s, uint32_t elements, uint32_t bytes) {
  const uint32_t rows = spk_rans_rows(elements), value_bytes = spk_rans_value_bytes(s, rows);
  s->record += s->record_size;
  s->bytes += bytes;
  s->value_bits += value_bytes;
  s->value_bytes_left -= value_bytes;
  s->gap_bits += rows * s->gap_raw;
  s->gap_bytes_left -= rows * s->gap_raw;
}

/* What a gap symbol adds to the position, besides its raw bits. */
SPK_INLINE uint32_t spk_rans_gap(const spk_rans_streams *s, uint32_t symbol) {
  if (s->jump != 0 && symbol == s->n_gaps - 1u) return UINT32_C(1) << s->jump;
  return 1u + (symbol << s->gap_raw);
}

/* Find the streams, which are all of the tile. Whether the lanes end where they should shows only when they do. */
bool spk_rans_open(const spk_tile *tile, spk_rans_streams *s);

/* What tells the frequencies of the two tables, which are read one after the other. */
SPK_INLINE spk_description spk_rans_description(const spk_rans_streams *s) {
  return (spk_description){s->frequencies, 0, 8u * s->description_size};
}

/* Frequencies of value symbols first, and then of gap symbols, where there are more than one: those that the tile has,
 * or at buffer, which has SPK_RANS_SLOTS and SPK_RANS_MOST_DESCRIBED bytes. Null where their description breaks a rule.
 * Whoever makes a table of them checks that they fill it. */
const uint8_t *spk_rans_value_frequencies(const spk_rans_streams *s, spk_description *description, uint8_t *buffer);
const uint8_t *spk_rans_gap_frequencies(const spk_rans_streams *s, spk_description *description, uint8_t *buffer);

#endif
