/* SPDX-License-Identifier: Apache-2.0 */
/* huffman: values, and gaps or a bitmap; values and gaps each in a canonical Huffman code. docs/format.md, section 10.
 *
 * A lookup of 8 bits gives all the symbols whose codes end within them, four at most, as bytes: gaps as they are, and
 * the lowest values of bins, to which raw bits are added a chunk later. Codes of more than 8 bits are rare, and found
 * by their length.
 *
 * Values with gaps go to a buffer, a chunk at a time, from where they are stored. With a bitmap they are decoded to the
 * end of the destination and expand from there: what is not yet read of them lies behind what is written.
 */
#include "spk_huffman.h"

#ifndef SPK_WITHOUT_HUFFMAN

enum {
  MAX_LENGTH = (int)SPK_HUFFMAN_MAX_LENGTH,
  MAX_SYMBOLS = 256,
  INDEX_BITS = 8,                         /* that a lookup looks at */
  ENTRY_SYMBOLS = 4,                      /* that it gives */
  TURN = 3,                               /* lookups in a word, whatever bit it is entered at */
  CAREFUL = ENTRY_SYMBOLS * TURN,         /* symbols that a turn may give */
  ROOM = (int)SPK_HUFFMAN_CHUNK + CAREFUL /* for a chunk and what comes out beyond it */
};

typedef spk_huffman_entry entry;
typedef spk_huffman_decoder decoder;

/* The next number of size bytes, 2 or 4, of a header. */
static bool take_number(spk_walk *reader, uint32_t size, uint32_t *number) {
  const uint8_t *field = spk_take_close(reader, size);
  if (!field) return false;
  *number = size == 2u ? spk_load_u16(field) : spk_load_u32(field);
  return true;
}

static bool open_streams(const spk_tile *tile, spk_huffman_streams *s) {
  spk_walk reader = {tile, 0};
  const uint8_t *header = spk_take_close(&reader, 7);
  if (!header) return false;
  const uint32_t first = header[0], flags = first >> 3, alignment = flags >> 1 & 3u;
  const uint32_t number_size = 2u << (flags >> 3 & 1u), description_size = header[2];
  s->value_raw = first & 7u;
  s->n_gaps = header[1];
  s->bins = (spk_value_bins){s->value_raw, header[3], header[4], header[5], header[6]};
  s->n_values = s->bins.n_positive + s->bins.n_negative + (flags & 1u);
  if (flags > 15u || !take_number(&reader, number_size, &s->n)) return false;
  if (s->n > tile->n || s->n_gaps > SPK_HUFFMAN_MAX_GAPS) return false;
  if (s->value_raw != 0 && s->value_raw != 2u && s->value_raw != 4u) return false;
  /* Raw bits never carry out of a byte. */
  if (s->bins.first_positive + (s->bins.n_positive << s->value_raw) > 256u ||
      s->bins.first_negative + (s->bins.n_negative << s->value_raw) > 256u ||
      (s->bins.n_negative != 0 && s->bins.first_negative == 0))
    return false;
  if (s->n_values > MAX_SYMBOLS || (s->n_values == 0 && s->n != 0)) return false;

  s->positions_size = s->n_gaps == 0 ? spk_ceil_div(tile->n, 8) : 0;
  if (s->n_gaps > 1u && !take_number(&reader, number_size, &s->positions_size)) return false;
  const uint32_t n_lengths = (s->n_gaps > 1u ? s->n_gaps : 0) + (s->n_values > 1u ? s->n_values : 0);
  s->lengths = spk_take_close(&reader, description_size != 0 ? description_size : spk_ceil_div(n_lengths, 2));
  if (!s->lengths) return false;
  s->description = (spk_description){s->lengths, 0, 8u * description_size};
  s->positions = spk_take_close(&reader, s->positions_size);
  if (!s->positions) return false;
  if (s->n_gaps == 0 && !spk_bitmap_ends(s->positions, tile->n)) return false;

  /* The tile ends with the raw bits, and codes are what is left. */
  const uint32_t value_bits_size = s->value_raw != 0 ? spk_ceil_div(s->n, 8u / s->value_raw) : 0;
  const uint32_t behind = ((value_bits_size + 3u) & ~UINT32_C(3)) + alignment, left = spk_left(&reader);
  if (behind > left) return false;
  s->value_codes_size = left - behind;
  s->value_codes = tile->data + reader.pos;
  s->value_bits = s->value_codes + s->value_codes_size + alignment;
  return true;
}

/* How many bits the first code in a window of MAX_LENGTH has, from shortest up. */
SPK_INLINE uint32_t length_of(const decoder *d, uint32_t window, uint32_t shortest) {
  uint32_t length = shortest;
  while (window >= d->end[length]) length++;
  return length;
}

/* What the first code in a window of MAX_LENGTH stands for, which has that many bits. The number is always below 256,
 * unless the bytes of the window have changed since a lookup said that its code is long. */
SPK_INLINE uint8_t meaning_of(const decoder *d, uint32_t window, uint32_t length) {
  return d->meanings[(d->base[length] + (window >> (MAX_LENGTH - length))) & 255u];
}

/* Entries are few: a loop that is set up for many, or vectors, would cost more. */
SPK_INLINE entry *fill(entry *next, const entry *end, entry e) {
  do {
    *next++ = e;
    SPK_KEEP(next);
  } while (next != end);
  return next;
}

/* The lookup for every index, depth first: indices that start with the same codes adjoin, and those that one more code
 * follows come first, in the order of its number. lengths: of the codes by their numbers, and a longer one behind. */
static void build_fours(entry *table, const uint8_t *meanings, const uint8_t *lengths) {
  struct {
    entry e, *end;
    uint32_t room, number;
  } stack[ENTRY_SYMBOLS], *top = stack;
  entry e = {0, 0}, *next = table, *end = table + (1u << INDEX_BITS);
  uint32_t room = INDEX_BITS, number = 0, shift = 0; /* bits that are left; the next code; where its meaning goes */
  for (;;) {
    const uint32_t length = lengths[number];
    if (length > room) {
      if (next != end) next = fill(next, end, e);
      if (top == stack) return;
      top--;
      e = top->e;
      end = top->end;
      room = top->room;
      number = top->number;
      shift -= 8u;
      continue;
    }
    const entry longer = {e.meanings | (uint32_t)meanings[number++] << shift, e.step + length + 256u};
    entry *const longer_end = next + (1u << (room - length));
    if (shift == 8u * (ENTRY_SYMBOLS - 1) || room - length < lengths[0]) {
      next = fill(next, longer_end, longer);
      continue;
    }
    top->e = e;
    top->end = end;
    top->room = room;
    top->number = number;
    top++;
    e = longer;
    end = longer_end;
    room -= length;
    number = 0;
    shift += 8u;
  }
}

/* The lengths of n codes, of which the first is field number first of the tile's. */
static void load_lengths(const spk_huffman_streams *s, uint8_t *lengths, uint32_t first, uint32_t n) {
  for (uint32_t i = first; n; n--, i++) *lengths++ = (uint8_t)(s->lengths[i / 2u] >> (i % 2u != 0 ? 0 : 4) & 15u);
}

/* What ranks stand for: 13 for no code, 14 and 15 for a length that is not possible. */
static const uint8_t length_of_rank[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 15, 15};

/* Symbols that adjoin, whose meanings are first, first + step, and so on, modulo 256. */
typedef struct span {
  uint32_t count, first, step;
} span;

/* The code of n symbols of those lengths, which lie where the table will be, and of three spans; d->meanings gets what
 * they stand for in the order of the codes. Returns false where the lengths are of no code. */
SPK_NOINLINE static bool build(decoder *d, const uint8_t *unsorted, uint32_t n, const span *spans) {
  uint8_t lengths[MAX_SYMBOLS + 1];
  uint32_t counts[16] = {0}, numbers[16], code = 0, number = 0;
  for (uint32_t i = 0; i < n; i++) counts[unsorted[i]]++;
  if (counts[13] + counts[14] + counts[15] != 0) return false;
  for (uint32_t length = 1; length <= MAX_LENGTH; length++) {
    d->base[length] = number - code;
    numbers[length] = number;
    number += counts[length];
    code += counts[length];
    d->end[length] = code << (MAX_LENGTH - length);
    code <<= 1;
  }
  /* Whatever the lengths, the end of the last code is the sum of the spaces that they take. */
  if (d->end[MAX_LENGTH] != 1u << MAX_LENGTH) return false;
  for (const span *end = spans + 3; spans != end; spans++) {
    uint32_t meaning = spans->first;
    for (uint32_t left = spans->count; left; left--, meaning += spans->step) {
      const uint32_t length = *unsorted++;
      if (length == 0) continue;
      const uint32_t at = numbers[length]++;
      d->meanings[at] = (uint8_t)meaning;
      lengths[at] = (uint8_t)length;
    }
  }
  lengths[number] = MAX_LENGTH;
#if SPK_HELIUM
  if (d->pairs) spk_huffman_build_pairs(d->pairs, d->meanings, lengths);
#endif
  if (d->fours) build_fours(d->fours, d->meanings, lengths);
  return true;
}

static void open_decoder(decoder *d, const uint8_t *stream, uint32_t size, uint32_t n_symbols) {
  d->has_codes = n_symbols > 1u;
  d->next = stream;
  d->stream_end = stream + size;
  d->bit = 0;
  d->ready = 0;
}

/* What a lookup of values goes to. */
typedef union value_table {
  entry fours[1u << INDEX_BITS];
#if SPK_HELIUM
  uint32_t pairs[SPK_HUFFMAN_PAIRS];
#endif
} value_table;

/* Values come first, as in the description. Both return false where the lengths are of no code. */
static bool open_values(decoder *d, value_table *t, spk_huffman_streams *s) {
  d->fours = t->fours;
  d->pairs = NULL;
#if SPK_HELIUM
  d->fours = NULL;
  d->pairs = t->pairs;
#endif
  const spk_value_bins *const bins = &s->bins;
  const uint32_t bin = 1u << bins->raw_bits, n_signed = bins->n_positive + bins->n_negative;
  const span spans[3] = {{bins->n_positive, bins->first_positive, bin},
                         {bins->n_negative, 1u - bin - bins->first_negative, 0u - bin},
                         {s->n_values - n_signed, 0, 0}};
  uint8_t *const lengths = (uint8_t *)t;
  d->meanings[0] = spk_lowest_value(bins, 0);
  open_decoder(d, s->value_codes, s->value_codes_size, s->n_values);
  if (!d->has_codes) return true;
  if (s->description.n_bits == 0) {
    load_lengths(s, lengths, s->n_gaps > 1u ? s->n_gaps : 0, s->n_values);
  } else if (!spk_read_value_ranks(&s->description, &s->bins, length_of_rank, lengths, s->n_values)) {
    return false;
  }
  return build(d, lengths, s->n_values, spans);
}

static bool open_gaps(decoder *d, entry *fours, spk_huffman_streams *s) {
  d->fours = fours;
  d->pairs = NULL;
  const span spans[3] = {{s->n_gaps, 1, 1}, {0, 0, 0}, {0, 0, 0}};
  uint8_t *const lengths = (uint8_t *)fours;
  open_decoder(d, s->positions, s->positions_size, s->n_gaps);
  if (s->description.n_bits == 0) {
    load_lengths(s, lengths, 0, s->n_gaps);
  } else if (!spk_read_ranks(&s->description, length_of_rank, lengths, s->n_gaps)) {
    return false;
  }
  return build(d, lengths, s->n_gaps, spans);
}

/* One symbol by the length of its code, wherever that lies. Returns false where the stream ends. */
SPK_NOINLINE static bool decode_one(decoder *d, uint8_t *meaning) {
  uint32_t window = 0; /* 24 bits, of which 17 or more come after the next one */
  for (uint32_t i = 0; i < 3u; i++) {
    window = window << 8 | (i < (uint32_t)(d->stream_end - d->next) ? d->next[i] : 0u);
  }
  window = window >> (24 - MAX_LENGTH - d->bit) & ((1u << MAX_LENGTH) - 1u);
  const uint32_t length = length_of(d, window, 1), bit = d->bit + length;
  if ((bit + 7u) / 8u > (uint32_t)(d->stream_end - d->next)) return false;
  d->next += bit / 8u;
  d->bit = bit % 8u;
  *meaning = meaning_of(d, window, length);
  return true;
}

/* Symbols from next on until there are some up to end, or fewer than 4 bytes of the stream are left. Returns where they
 * end: before end + CAREFUL. */
SPK_NOINLINE static uint8_t *decode_many(decoder *d, uint8_t *next, const uint8_t *end) {
  const entry *const table = d->fours;
  const uint8_t *const stream = d->next;
  const uint32_t size = (uint32_t)(d->stream_end - stream);
  if (size < 4u) return next;
  /* No more bits than 2^28, so that they do not overflow. */
  const uint32_t last_bit = 8u * spk_min_u32(size - 4u, UINT32_C(1) << 25) + 7u;
  uint32_t bit = d->bit;
  while (next < end && bit <= last_bit) {
    uint32_t window = spk_load_u32_be(stream + bit / 8u) << bit % 8u, step = 0;
    SPK_UNROLL(3)
    for (uint32_t i = 0; i < TURN; i++) {
      const entry *e = &table[window >> (32 - INDEX_BITS)];
      SPK_KEEP(e);
      step = e->step;
      spk_store_u32(next, e->meanings);
      next += step >> 8;
      SPK_KEEP(next);
      bit += step & 255u;
      window = spk_shift_left(window, step);
    }
    if (step == 0 && bit <= last_bit) {
      window = spk_load_u32_be(stream + bit / 8u) << bit % 8u >> (32 - MAX_LENGTH);
      const uint32_t length = length_of(d, window, INDEX_BITS + 1);
      *next++ = meaning_of(d, window, length);
      bit += length;
    }
  }
  d->next = stream + bit / 8u;
  d->bit = bit % 8u;
  return next;
}

/* Decodes the next count of left symbols, of which those that are ready lie there already. Those that come out beyond
 * count lie behind: at most CAREFUL, and none beyond left. Returns false where the stream ends. */
static bool decode(decoder *d, uint8_t *to, uint32_t count, uint32_t left) {
  if (!d->has_codes) {
    memset(to, d->meanings[0], count);
    return true;
  }
  /* The last symbols are decoded one by one: a turn would go on behind them. */
  const uint8_t *const many_end = to + spk_min_u32(count, left > CAREFUL ? left - CAREFUL : 0);
  const uint8_t *const end = to + count;
  uint8_t *next = to + d->ready;
#if SPK_HELIUM
  if (d->pairs && next < many_end) next = spk_huffman_decode_pairs(d, next, many_end);
#endif
  if (d->fours && next < many_end) next = decode_many(d, next, many_end);
  for (; next < end; next++) {
    if (!decode_one(d, next)) return false;
  }
  d->ready = (uint32_t)(next - end);
  return true;
}

/* The same for values, with their raw bits. */
static bool decode_values(decoder *d, spk_huffman_streams *s, uint8_t *to, uint32_t count, uint32_t left) {
  if (!decode(d, to, count, left)) return false;
  if (s->value_raw != 0) {
    spk_huffman_add_raw_bits(to, count, s->value_bits, s->value_raw);
    s->value_bits += SPK_HUFFMAN_CHUNK / 8 * s->value_raw;
  }
  return true;
}

/* What came out beyond a chunk is the start of the next one. */
SPK_INLINE void keep_ready(uint8_t *buffer) {
  for (uint32_t i = 0; i < CAREFUL; i += 4u) spk_store_u32(buffer + i, spk_load_u32(buffer + SPK_HUFFMAN_CHUNK + i));
}

/* Whether the stream ends with the byte in which the last code does. */
static bool ends(const decoder *d) { return d->next + (d->bit != 0) == d->stream_end; }

/* All values, one after the other. */
static bool walk_values(decoder *d, spk_huffman_streams *s, int8_t *dst) {
  return s->n == 0 ? ends(d) : decode_values(d, s, (uint8_t *)dst, s->n, s->n) && ends(d);
}

/* Values and gaps, which have a code. */
SPK_NOINLINE static bool walk_gaps(decoder *value_decoder, spk_huffman_streams *s, int8_t *dst, uint32_t n) {
  decoder gap_decoder;
  entry fours[1u << INDEX_BITS];
  uint8_t gaps[ROOM] = {0}, values[ROOM] = {0};
  if (!open_gaps(&gap_decoder, fours, s)) return false;
  memset(dst, 0, n);
  uint32_t position = 0;
  for (uint32_t left = s->n; left;) {
    const uint32_t count = spk_min_u32(left, SPK_HUFFMAN_CHUNK);
    if (!decode(&gap_decoder, gaps, count, left)) return false;
    if (!decode_values(value_decoder, s, values, count, left)) return false;
    if (!spk_huffman_scatter(dst, n, &position, gaps, values, count)) return false;
    keep_ready(gaps);
    keep_ready(values);
    left -= count;
  }
  return ends(&gap_decoder) && ends(value_decoder);
}

spk_status spk_huffman_decode(const spk_tile *tile, int8_t *dst) {
  spk_huffman_streams s;
  decoder value_decoder;
  value_table t;
  if (!open_streams(tile, &s) || !open_values(&value_decoder, &t, &s)) return SPK_ERROR_STREAM;
  const uint32_t n_zeros = tile->n - s.n;
  if (s.n_gaps == 0) {
    const int8_t *const values = dst + n_zeros, *const end = dst + tile->n;
    if (!walk_values(&value_decoder, &s, dst + n_zeros)) return SPK_ERROR_STREAM;
    return spk_expand_bitmap(dst, tile->n, s.positions, values, s.n) == end ? SPK_OK : SPK_ERROR_STREAM;
  }
  if (s.n_gaps == 1u) {
    if (!walk_values(&value_decoder, &s, dst)) return SPK_ERROR_STREAM;
    memset(dst + s.n, 0, n_zeros);
    return SPK_OK;
  }
  return walk_gaps(&value_decoder, &s, dst, tile->n) ? SPK_OK : SPK_ERROR_STREAM;
}

/* Whether a stream has n symbols, whose sum stays within a limit, and ends with them. */
static bool check(decoder *d, uint32_t n, uint32_t limit) {
  if (!d->has_codes) return ends(d); /* values that are all the same; their sum has no limit */
  uint8_t symbols[ROOM] = {0};
  uint32_t sum = 0;
  for (uint32_t left = n; left;) {
    const uint32_t count = spk_min_u32(left, SPK_HUFFMAN_CHUNK);
    if (!decode(d, symbols, count, left)) return false;
    for (uint32_t i = 0; i < count; i++) sum += symbols[i];
    if (sum > limit) return false;
    keep_ready(symbols);
    left -= count;
  }
  return ends(d);
}

spk_status spk_huffman_validate(const spk_tile *tile) {
  spk_huffman_streams s;
  decoder d;
  value_table t;
  if (!open_streams(tile, &s)) return SPK_ERROR_STREAM;
  if (s.n_gaps == 0 && spk_bitmap_count(s.positions, s.positions_size) != s.n) return SPK_ERROR_STREAM;
  if (!open_values(&d, &t, &s) || !check(&d, s.n, UINT32_MAX)) return SPK_ERROR_STREAM;
  if (s.n_gaps > 1u && (!open_gaps(&d, t.fours, &s) || !check(&d, s.n, tile->n))) return SPK_ERROR_STREAM;
  return spk_description_ends(&s.description) ? SPK_OK : SPK_ERROR_STREAM;
}

#if !SPK_HELIUM && !SPK_RVV

/* The raw bits of a group lie side by side in every byte: field j of byte i is that of value 16 j + i. */
SPK_INLINE void add_raw_bits(uint8_t *values, uint32_t count, const uint8_t *raw_bits, uint32_t value_raw) {
  const uint32_t in_group = 128u / value_raw, mask = ((1u << value_raw) - 1u) * 0x01010101u;
  for (; count >= in_group; count -= in_group, values += in_group, raw_bits += 16) {
    SPK_UNROLL(4)
    for (uint32_t i = 0; i < 16u; i += 4u) {
      uint32_t raw = spk_load_u32(raw_bits + i);
      SPK_UNROLL(4)
      for (uint32_t at = i; at < in_group; at += 16u, raw >>= value_raw) {
        spk_store_u32(values + at, spk_load_u32(values + at) + (raw & mask)); /* no byte carries: open checked it */
      }
    }
  }
  spk_huffman_add_last_raw_bits(values, count, raw_bits, value_raw);
}

SPK_NOINLINE void spk_huffman_add_raw_bits(uint8_t *values, uint32_t count, const uint8_t *raw_bits,
                                           uint32_t value_raw) {
  if (value_raw == 4u) {
    add_raw_bits(values, count, raw_bits, 4);
  } else {
    add_raw_bits(values, count, raw_bits, 2);
  }
}

SPK_NOINLINE bool spk_huffman_scatter(int8_t *dst, uint32_t n, uint32_t *position, const uint8_t *gaps,
                                      const uint8_t *values, uint32_t count) {
  return spk_huffman_store(dst, n, position, gaps, values, count);
}

#endif

#endif
