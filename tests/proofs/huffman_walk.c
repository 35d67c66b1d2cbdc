/* SPDX-License-Identifier: Apache-2.0 */
/* huffman: chunk after chunk of a tile whose streams were found, as huffman_open.c proves. Building a code, decoding a
 * chunk, adding raw bits, storing a chunk and expanding a bitmap have proofs of their own, which promise that they need
 * no more than what is asked here. */
#include "spk_huffman.c"
#include "tile.h"

static uint8_t byte;

static bool open_streams(const spk_tile *tile, spk_huffman_streams *s) {
  ANY(s->value_raw), ANY(s->n), ANY(s->n_gaps), ANY(s->n_values);
  if (nondet_any() & 1u) return false;
  __CPROVER_assume(s->value_raw == 0 || s->value_raw == 2u || s->value_raw == 4u);
  __CPROVER_assume(s->n <= tile->n && s->n_gaps <= 63u && s->n_values <= 256u);
  s->positions_size = s->n_gaps == 0 ? spk_ceil_div(tile->n, 8) : 0;
  s->positions = malloc(s->positions_size);
  s->value_bits = malloc(s->value_raw != 0 ? spk_ceil_div(s->n, 8u / s->value_raw) : 0);
  s->description = (spk_description){&byte, 0, 0};
  return true;
}
static bool any_code(decoder *d) {
  d->next = d->stream_end = &byte;
  d->bit = d->ready = 0;
  d->has_codes = nondet_any() & 1u;
  return nondet_any() & 1u;
}
static bool open_values(decoder *d, value_table *t, spk_huffman_streams *s) {
  (void)t, (void)s;
  return any_code(d);
}
static bool open_gaps(decoder *d, entry *fours, spk_huffman_streams *s) {
  (void)s;
  __CPROVER_assert(__CPROVER_w_ok(fours, sizeof *fours << INDEX_BITS), "the table has room");
  return any_code(d);
}
static bool decode(decoder *d, uint8_t *to, uint32_t count, uint32_t left) {
  __CPROVER_assert(count >= 1u && (count == left || count == spk_min_u32(left, SPK_HUFFMAN_CHUNK)), "a chunk, or all");
  __CPROVER_assert(d->ready <= (uint32_t)CAREFUL && d->ready <= left, "what is ready is of this chunk");
  const uint32_t beyond = spk_min_u32(CAREFUL, left - count);
  __CPROVER_assert(__CPROVER_w_ok(to, count + beyond), "there is room for it, and what comes out beyond");
  ANY(d->ready);
  __CPROVER_assume(d->ready <= beyond);
  return nondet_any() & 1u;
}
void spk_huffman_add_raw_bits(uint8_t *values, uint32_t count, const uint8_t *raw_bits, uint32_t value_raw) {
  __CPROVER_assert(value_raw == 2u || value_raw == 4u, "raw bits");
  __CPROVER_assert(__CPROVER_w_ok(values, count) && __CPROVER_r_ok(raw_bits, spk_ceil_div(count, 8u / value_raw)),
                   "the raw bits are there");
}
bool spk_huffman_scatter(int8_t *dst, uint32_t n, uint32_t *position, const uint8_t *gaps, const uint8_t *values,
                         uint32_t count) {
  __CPROVER_assert(*position <= n && __CPROVER_w_ok(dst, n), "the destination has room");
  __CPROVER_assert(count >= 1u && count <= (uint32_t)SPK_HUFFMAN_CHUNK, "a chunk");
  __CPROVER_assert(__CPROVER_r_ok(gaps, count) && __CPROVER_r_ok(values, count), "gaps and values are there");
  ANY(*position);
  __CPROVER_assume(*position <= n);
  return nondet_any() & 1u;
}
const int8_t *spk_expand_bitmap(int8_t *dst, size_t n, const uint8_t *bitmap, const int8_t *values, size_t n_values) {
  __CPROVER_assert(n == 0 || __CPROVER_w_ok(dst, n), "the destination has room");
  __CPROVER_assert(n == 0 || __CPROVER_r_ok(bitmap, n / 8u + (n % 8u != 0)), "the bitmap is there");
  __CPROVER_assert(n_values == 0 || __CPROVER_r_ok(values, n_values), "and the values");
  return nondet_any() & 1u ? dst + n : NULL;
}

DECODE_OR_VALIDATE(huffman)
