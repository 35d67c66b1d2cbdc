/* SPDX-License-Identifier: Apache-2.0 */
/* rans: one lane of a block of the kind FLAGS. Its elements have proofs of their own, rans_some.c and rans_rest.c,
 * which promise that they need no more than what is asked here. */
#include "rans_kind.h"
#include "spk_rans.c"

static void raw_bits_are_there(const spk_rans_streams *s, const lane *l, uint32_t n, uint32_t rows) {
  __CPROVER_assert(rows == 0 || __CPROVER_r_ok(l->value_bits, 8u * (rows - 1u) + 1u), "raw bits of values are there");
  __CPROVER_assert(n * s->gap_raw == 0 || __CPROVER_r_ok(l->gap_bits, (n - 1u) * s->gap_raw + 1u), "and of gaps");
}

static bool some(const block *b, lane *l, uint32_t turns, uint32_t value_raw) {
  const spk_rans_streams *s = b->s;
  const uint32_t in_turn = value_raw != 0 ? 8u / (value_raw + (value_raw == 0)) : 1u, n = turns * in_turn;
  __CPROVER_assert(value_raw == s->value_raw && s->n_values > 1u, "there are steps of values");
  __CPROVER_assert(s->n_gaps > 1u || s->gap_raw == 0, "and of gaps, unless all are the same");
  __CPROVER_assert(turns >= 1u && turns <= 8192u && n <= l->count, "there are such elements");
  __CPROVER_assert(l->position <= b->length && __CPROVER_w_ok(b->dst, b->length), "the destination has room");
  __CPROVER_assert(2u * n <= (size_t)(l->end - l->next) && __CPROVER_r_ok(l->next, 2u * n), "bytes are there");
  raw_bits_are_there(s, l, n, value_raw != 0 ? turns : 0);
  uint32_t used;
  ANY(used), ANY(l->position), ANY(l->x);
  __CPROVER_assume(used <= 2u * n && l->position <= b->length);
  l->next += used;
  if (value_raw != 0) l->value_bits += 8u * turns;
  l->gap_bits += n * s->gap_raw;
  return nondet_any() & 1u;
}
static bool some_of_4(const block *b, lane *l, uint32_t turns) { return some(b, l, turns, 4); }
static bool some_of_2(const block *b, lane *l, uint32_t turns) { return some(b, l, turns, 2); }
static bool some_of_0(const block *b, lane *l, uint32_t turns) { return some(b, l, turns, 0); }

static bool all_elements(const block *b, lane *l) {
  const spk_rans_streams *s = b->s;
  const size_t n_bytes = (size_t)(l->end - l->next);
  __CPROVER_assert(l->next <= l->end && n_bytes <= UINT16_MAX && (n_bytes == 0 || __CPROVER_r_ok(l->next, n_bytes)),
                   "the bytes that are left are there");
  __CPROVER_assert(l->count <= 8192u && l->position <= b->length, "so are the elements");
  __CPROVER_assert(!b->dst || __CPROVER_w_ok(b->dst, b->length), "and the destination");
  raw_bits_are_there(s, l, l->count, (l->count * s->value_raw + 7u) / 8u);
  ANY(l->position), ANY(l->x);
  return nondet_any() & 1u;
}

int main(void) {
  spk_rans_streams s = streams_of_kind(1);
  lane l;
  uint32_t length, n_bytes;
  ANY(l.number), ANY(l.count), ANY(l.position), ANY(length), ANY(n_bytes);
  __CPROVER_assume(length >= 1u && length <= s.block_size && l.number < 8u && l.position <= length);
  __CPROVER_assume(l.count <= 8192u && n_bytes <= UINT16_MAX);
  l.next = malloc(n_bytes);
  l.end = l.next + n_bytes;
  const uint32_t value_rows = (l.count * s.value_raw + 7u) / 8u, first = l.number * s.gap_raw / 8u;
  s.value_bits = malloc(value_rows != 0 ? 8u * (value_rows - 1u) + l.number + 1u : 8u);
  s.gap_bits = malloc(l.count * s.gap_raw != 0 ? first + (l.count - 1u) * s.gap_raw + 1u : 8u);
  static tables t;
  const block b = {&s, &t, DECODES ? malloc(length) : NULL, length};
  const uint32_t count = l.count;
  REACHED(walk_lane(&b, &l) && count > 100u);
  return 0;
}
