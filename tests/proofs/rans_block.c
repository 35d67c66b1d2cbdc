/* SPDX-License-Identifier: Apache-2.0 */
/* rans: block after block, of the kind FLAGS, of a tile whose streams were found, as rans_open.c proves. What its lanes
 * need has proofs of its own. */
#include "spk_rans.c"
#include "spk_rans.h"
#include "tile.h"

bool spk_rans_open(const spk_tile *tile, spk_rans_streams *s) {
  uint32_t n_bytes;
  ANY(n_bytes), ANY(s->value_bytes_left), ANY(s->gap_bytes_left), ANY(s->n_values);
  ANY(s->n_gaps);
  s->value_raw = VALUE_RAW, s->gap_raw = GAP_RAW;
  s->block_size = FLAGS & 1 ? 32760u : 65520u;
  s->end_bytes = FLAGS & 2 ? 2u : 1u;
  s->size_bytes = FLAGS & 4 ? 2u : 1u;
  if (nondet_any() & 1u) return false;
  __CPROVER_assume(s->n_gaps >= 1u && s->n_gaps <= 255u && s->n_values <= 256u);
  __CPROVER_assume(n_bytes <= MOST && s->value_bytes_left <= MOST && s->gap_bytes_left <= MOST);
  s->record_size = 18u + 8u * (s->end_bytes + s->size_bytes);
  s->record = malloc((size_t)spk_ceil_div(tile->n, s->block_size) * s->record_size);
  s->bytes = malloc(n_bytes);
  s->bytes_end = s->bytes + n_bytes;
  s->value_bits = malloc(s->value_bytes_left);
  s->gap_bits = malloc(s->gap_bytes_left);
  return true;
}

static bool build(const spk_rans_streams *s, tables *t) {
  (void)s, (void)t;
  return nondet_any() & 1u;
}

static bool walk_lane(const block *b, lane *l) {
  const spk_rans_streams *s = b->s;
  __CPROVER_assert(__CPROVER_r_ok(s->record, s->record_size), "the record is there");
  __CPROVER_assert(l->next <= l->end && (l->next == l->end || __CPROVER_r_ok(l->next, (size_t)(l->end - l->next))),
                   "the bytes of a lane are there");
  __CPROVER_assert((size_t)(l->end - l->next) <= UINT16_MAX, "they are not many");
  __CPROVER_assert(l->count <= 8192u && l->number < 8u && l->position <= b->length, "neither are its elements");
  __CPROVER_assert(b->length >= 1u && b->length <= SPK_RANS_BLOCK, "nor those of a block");
  __CPROVER_assert(!b->dst || __CPROVER_w_ok(b->dst, b->length), "the destination has room for them");
  const uint32_t value_rows = (l->count * s->value_raw + 7u) / 8u;
  __CPROVER_assert(value_rows == 0 || __CPROVER_r_ok(s->value_bits, 8u * (value_rows - 1u) + l->number + 1u),
                   "raw bits of values are there");
  const uint32_t first = l->number * s->gap_raw / 8u;
  __CPROVER_assert(l->count * s->gap_raw == 0 || __CPROVER_r_ok(s->gap_bits, first + (l->count - 1u) * s->gap_raw + 1u),
                   "and of gaps");
  ANY(l->position), ANY(l->x);
  if (nondet_any() & 1u) return false;
  __CPROVER_assume(l->position <= b->length);
  l->next = l->end;
  l->count = 0;
  return true;
}

int main(void) {
  const spk_tile tile = any_tile();
  REACHED(walk(&tile, DECODES ? malloc(tile.n) : NULL) == SPK_OK && tile.n > SPK_RANS_BLOCK);
  return 0;
}
