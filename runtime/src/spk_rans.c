/* SPDX-License-Identifier: Apache-2.0 */
/* rans: gaps and values by turns through eight rANS states. docs/format.md, section 9. */
#include "spk_rans.h"

#ifndef SPK_WITHOUT_RANS

bool spk_rans_open(const spk_tile *tile, spk_rans_streams *s) {
  spk_walk reader = {tile, 0};
  const uint8_t *header = spk_take_close(&reader, 8);
  if (!header) return false;
  const uint32_t flags = header[1] & 15u;
  s->value_raw = header[0] & 15u;
  s->gap_raw = header[0] >> 4;
  s->end_bytes = 1u + (flags >> 2 & 1u);
  s->size_bytes = 1u + (flags >> 3 & 1u);
  s->block_size = SPK_RANS_BLOCK >> (flags >> 1 & 1u);
  s->record_size = SPK_RANS_ENDS + (s->end_bytes + s->size_bytes) * SPK_RANS_LANES;
  s->n_gaps = header[2];
  s->jump = header[1] >> 4;
  s->description_size = header[3];
  s->bins = (spk_value_bins){s->value_raw, header[4], header[5], header[6], header[7]};
  s->n_values = s->bins.n_positive + s->bins.n_negative + (flags & 1u);
  if (s->gap_raw > 4u || s->gap_raw == 3u || s->n_gaps == 0 || s->n_values > SPK_RANS_SLOTS) return false;
  if (s->value_raw != 0 && s->value_raw != 2u && s->value_raw != 4u) return false;

  const uint32_t n_frequencies = (s->n_gaps > 1u ? s->n_gaps : 0) + (s->n_values > 1u ? s->n_values : 0);
  s->frequencies = spk_take_close(&reader, s->description_size != 0 ? s->description_size : n_frequencies);
  if (!s->frequencies || (s->description_size != 0 && s->n_gaps > SPK_RANS_MOST_DESCRIBED)) return false;

  /* No sum overflows: there are fewer than 2^15 blocks, whose lanes have fewer than 2^16 bytes. */
  const uint32_t n_blocks = spk_ceil_div(tile->n, s->block_size);
  const uint8_t *records = spk_take_close(&reader, n_blocks * s->record_size);
  if (!records) return false;
  uint32_t bytes = 0, value_bytes = 0, gap_bytes = 0;
  s->record = records;
  for (uint32_t i = 0; i < n_blocks; i++) {
    const uint32_t size = spk_rans_all_sizes(s), elements = spk_rans_elements(s->record);
    if (size > UINT16_MAX || (elements != 0 && s->n_values == 0)) return false;
    bytes += size;
    value_bytes += spk_rans_value_bytes(s, spk_rans_rows(elements));
    gap_bytes += spk_rans_rows(elements) * s->gap_raw;
    s->record += s->record_size;
  }
  s->record = records;
  s->bytes = spk_take_close(&reader, bytes);
  if (!s->bytes) return false;
  spk_align(&reader);
  s->bytes_end = s->bytes + bytes;
  s->value_bits = spk_take(&reader, value_bytes);
  if (!s->value_bits) return false;
  s->gap_bits = spk_take(&reader, gap_bytes);
  s->value_bytes_left = value_bytes;
  s->gap_bytes_left = gap_bytes;
  return s->gap_bits && spk_left(&reader) == 0;
}

/* What ranks stand for. */
static const uint8_t frequency_of[16] = {192, 128, 96, 64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1, 0};

/* The first of the greatest frequencies becomes what the others leave. */
static bool give_rest(uint8_t *frequencies, uint32_t n) {
  uint32_t greatest = 0, others = 0;
  uint8_t *first = frequencies;
  for (const uint8_t *end = frequencies + n; frequencies != end; frequencies++) {
    const uint32_t frequency = *frequencies;
    others += frequency;
    if (frequency <= greatest) continue;
    greatest = frequency;
    first = frequencies;
  }
  others -= greatest;
  if (others == 0 || others >= SPK_RANS_SLOTS) return false;
  *first = (uint8_t)(SPK_RANS_SLOTS - others);
  return true;
}

const uint8_t *spk_rans_value_frequencies(const spk_rans_streams *s, spk_description *description, uint8_t *buffer) {
  const uint32_t n = s->n_values;
  if (s->description_size != 0) {
    return spk_read_value_ranks(description, &s->bins, frequency_of, buffer, n) && give_rest(buffer, n) ? buffer : NULL;
  }
  return s->frequencies + (s->n_gaps > 1u ? s->n_gaps : 0);
}

const uint8_t *spk_rans_gap_frequencies(const spk_rans_streams *s, spk_description *description, uint8_t *buffer) {
  const uint32_t n = s->n_gaps;
  if (s->description_size != 0) {
    return spk_read_ranks(description, frequency_of, buffer, n) && give_rest(buffer, n) ? buffer : NULL;
  }
  return s->frequencies;
}

/* A slot: frequency of its symbol in bits 0..7, its number among the symbol's slots in bits 8..15, and what the symbol
 * stands for in bits 16..31. */
typedef struct tables {
  uint32_t gap[SPK_RANS_SLOTS], value[SPK_RANS_SLOTS];
} tables;

static void fill(uint32_t *slot, uint32_t frequency, uint32_t meaning) {
  const uint32_t entry = frequency | meaning << 16;
  SPK_NO_UNROLL
  for (uint32_t i = 0; i < frequency; i++) slot[i] = entry | i << 8;
}

/* Returns false where there are no such tables. */
SPK_NOINLINE static bool build(const spk_rans_streams *s, tables *t) {
  uint8_t gap_buffer[SPK_RANS_MOST_DESCRIBED], *const value_buffer = (uint8_t *)t->gap; /* which is free until then */
  spk_description description = spk_rans_description(s);
  if (s->n_values > 1u) {
    const uint8_t *frequencies = spk_rans_value_frequencies(s, &description, value_buffer);
    if (!frequencies) return false;
    uint32_t left = SPK_RANS_SLOTS, *slot = t->value;
    for (uint32_t i = 0; i < s->n_values; i++) {
      const uint32_t frequency = frequencies[i];
      if (frequency > left) return false;
      fill(slot, frequency, spk_lowest_value(&s->bins, i));
      slot += frequency;
      left -= frequency;
    }
    if (left != 0) return false;
  }
  if (s->n_gaps > 1u) {
    const uint8_t *frequencies = spk_rans_gap_frequencies(s, &description, gap_buffer);
    if (!frequencies) return false;
    uint32_t left = SPK_RANS_SLOTS, *slot = t->gap;
    for (uint32_t i = 0; i < s->n_gaps; i++) {
      const uint32_t frequency = frequencies[i];
      if (frequency > left) return false;
      fill(slot, frequency, spk_rans_gap(s, i));
      slot += frequency;
      left -= frequency;
    }
    if (left != 0) return false;
  }
  return spk_description_ends(&description);
}

/* What is the same for every lane of a block. */
typedef struct block {
  const spk_rans_streams *s;
  const tables *t;
  int8_t *dst; /* null: only check */
  uint32_t length;
} block;

/* A lane: the count elements that are left of it, and its bytes from next to end. */
typedef struct lane {
  uint32_t number, count, x, position; /* position: one behind the element before */
  const uint8_t *next, *end, *value_bits, *gap_bits;
} lane;

/* One step without its byte. */
SPK_INLINE uint32_t step(uint32_t entry, uint32_t x) { return (entry & 255u) * (x >> 8) + (entry >> 8 & 255u); }

/* What a gap is made of. */
typedef enum gap_kind { ONLY_GAP, GAP_STEPS, GAP_STEPS_AND_BITS } gap_kind;

/* Elements whose bytes are all there: as many as a byte has raw bits of values for, or one, times turns. Returns false
 * where one lies outside. What is not in b, l or turns is constant where this is inlined. */
SPK_INLINE bool some_elements(const block *b, lane *l, uint32_t turns, uint32_t value_raw, gap_kind kind) {
  const uint32_t *gap_table = b->t->gap, *value_table = b->t->value;
  const uint32_t length = b->length, only_gap = spk_rans_gap(b->s, 0);
  const uint32_t gap_raw = b->s->gap_raw, gap_shift = l->number * gap_raw % 8u, gap_mask = (1u << gap_raw) - 1u;
  const uint8_t *next = l->next, *value_bits = l->value_bits, *gap_bits = l->gap_bits;
  int8_t *const before = b->dst - 1;
  uint32_t x = l->x, position = l->position;
  for (; turns; turns--) {
    uint32_t raw = 0;
    if (value_raw != 0) {
      raw = *value_bits;
      value_bits += SPK_RANS_LANES;
    }
    for (uint32_t i = 0; i < 8u; i += value_raw != 0 ? value_raw : 8u) {
      uint32_t entry = only_gap << 16;
      if (kind != ONLY_GAP) {
        entry = gap_table[x & 255u];
        x = step(entry, x);
        if (x < SPK_RANS_LOWEST) x = x << 8 | *next++;
      }
      position += entry >> 16;
      if (kind == GAP_STEPS_AND_BITS) {
        position += *gap_bits >> gap_shift & gap_mask;
        gap_bits += gap_raw;
      }
      if (position > length) return false;
      entry = value_table[x & 255u];
      x = step(entry, x);
      if (x < SPK_RANS_LOWEST) x = x << 8 | *next++;
      before[position] = (int8_t)(uint8_t)((entry >> 16) + (raw & ((1u << value_raw) - 1u)));
      raw >>= value_raw;
    }
  }
  l->x = x;
  l->position = position;
  l->next = next;
  l->value_bits = value_bits;
  l->gap_bits = gap_bits;
  return true;
}

SPK_INLINE bool some_of_gaps(const block *b, lane *l, uint32_t turns, uint32_t value_raw) {
  if (b->s->n_gaps == 1u) return some_elements(b, l, turns, value_raw, ONLY_GAP);
  if (b->s->gap_raw == 0) return some_elements(b, l, turns, value_raw, GAP_STEPS);
  return some_elements(b, l, turns, value_raw, GAP_STEPS_AND_BITS);
}

/* Not inlined: their loops are long, and there are eight lanes to a block. */
SPK_NOINLINE static bool some_of_4(const block *b, lane *l, uint32_t turns) { return some_of_gaps(b, l, turns, 4); }
SPK_NOINLINE static bool some_of_2(const block *b, lane *l, uint32_t turns) { return some_of_gaps(b, l, turns, 2); }
SPK_NOINLINE static bool some_of_0(const block *b, lane *l, uint32_t turns) { return some_of_gaps(b, l, turns, 0); }

/* The same for any elements, as many as are left. Returns false where one lies outside or has no bytes. */
SPK_NOINLINE static bool all_elements(const block *b, lane *l) {
  const spk_rans_streams *s = b->s;
  const uint32_t value_mask = (1u << s->value_raw) - 1u, gap_mask = (1u << s->gap_raw) - 1u;
  uint32_t value_shift = 0;
  for (; l->count; l->count--) {
    uint32_t entries[2] = {spk_rans_gap(s, 0) << 16, (uint32_t)spk_lowest_value(&s->bins, 0) << 16};
    for (uint32_t i = 0; i < 2u; i++) {
      if ((i == 0 ? s->n_gaps : s->n_values) == 1u) continue;
      entries[i] = (i == 0 ? b->t->gap : b->t->value)[l->x & 255u];
      l->x = step(entries[i], l->x);
      if (l->x >= SPK_RANS_LOWEST) continue;
      if (l->next == l->end) return false;
      l->x = l->x << 8 | *l->next++;
    }
    l->position += entries[0] >> 16;
    if (s->gap_raw != 0) {
      l->position += *l->gap_bits >> l->number * s->gap_raw % 8u & gap_mask;
      l->gap_bits += s->gap_raw;
    }
    uint32_t value = entries[1] >> 16;
    if (s->value_raw != 0) {
      value += *l->value_bits >> value_shift & value_mask;
      value_shift = (value_shift + s->value_raw) % 8u;
      if (value_shift == 0) l->value_bits += SPK_RANS_LANES;
    }
    if (l->position > b->length) return false;
    if (b->dst) b->dst[l->position - 1u] = (int8_t)(uint8_t)value;
  }
  return true;
}

/* Decodes a lane. Returns whether it is right. */
static bool walk_lane(const block *b, lane *l) {
  const spk_rans_streams *s = b->s;
  l->x = spk_load_u16(s->record + SPK_RANS_STATES + 2u * l->number);
  l->value_bits = s->value_bits + l->number;
  l->gap_bits = s->gap_bits + l->number * s->gap_raw / 8u;
  /* As long as two bytes are left for each element, which is what it may take, nobody has to look. */
  if (b->dst && s->n_values > 1u && (s->n_gaps > 1u || s->gap_raw == 0)) {
    const uint32_t in_turn = s->value_raw != 0 ? 8u / s->value_raw : 1u;
    for (;;) {
      const uint32_t turns = spk_min_u32(l->count, (uint32_t)(l->end - l->next) / 2u) / in_turn;
      if (turns == 0) break;
      const bool inside = s->value_raw == 4u   ? some_of_4(b, l, turns)
                          : s->value_raw == 2u ? some_of_2(b, l, turns)
                                               : some_of_0(b, l, turns);
      if (!inside) return false;
      l->count -= turns * in_turn;
    }
  }
  return all_elements(b, l) && l->next == l->end && l->x == SPK_RANS_LOWEST &&
         l->position == spk_rans_end(s, l->number, b->length);
}

static bool walk_block(spk_rans_streams *s, const tables *t, int8_t *dst, uint32_t length) {
  const uint32_t elements = spk_rans_elements(s->record);
  if (!spk_rans_has(s, elements)) return false;
  const block b = {s, t, dst, length};
  lane l = {.number = 0, .position = 0, .end = s->bytes};
  for (; l.number < SPK_RANS_LANES; l.number++) {
    l.count = (elements + SPK_RANS_LANES - 1u - l.number) / SPK_RANS_LANES;
    l.next = l.end;
    const uint32_t size = spk_rans_size(s, l.number);
    if (size > (uint32_t)(s->bytes_end - l.end)) return false;
    l.end += size;
    if (!walk_lane(&b, &l)) return false;
  }
  spk_rans_next(s, elements, (uint32_t)(l.end - s->bytes));
  return true;
}

/* Decodes, or only checks where dst is null. */
static spk_status walk(const spk_tile *tile, int8_t *dst) {
  spk_rans_streams s;
  tables t;
  if (!spk_rans_open(tile, &s) || !build(&s, &t)) return SPK_ERROR_STREAM;
  if (dst) memset(dst, 0, tile->n);
  for (uint32_t left = tile->n; left;) {
    const uint32_t length = spk_min_u32(left, s.block_size);
    if (!walk_block(&s, &t, dst, length)) return SPK_ERROR_STREAM;
    if (dst) dst += length;
    left -= length;
  }
  return SPK_OK;
}

#if !SPK_HELIUM && !SPK_RVV
spk_status spk_rans_decode(const spk_tile *tile, int8_t *dst) { return walk(tile, dst); }
#endif

spk_status spk_rans_validate(const spk_tile *tile) { return walk(tile, NULL); }

#endif
