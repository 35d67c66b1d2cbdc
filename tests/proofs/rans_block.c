/* SPDX-License-Identifier: Apache-2.0 */
/* rans: lane after lane of one block, of the kind FLAGS. A lane has a proof of its own, rans_lane.c. */
#include "rans_kind.h"
#include "spk_rans.c"

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
  spk_rans_streams s = streams_of_kind(1);
  const spk_rans_streams before = s;
  uint32_t length;
  ANY(length);
  __CPROVER_assume(length >= 1u && length <= s.block_size);
  static tables t;
  const bool right = walk_block(&s, &t, DECODES ? malloc(length) : NULL, length);
  if (right) {
    __CPROVER_assert(s.record == before.record + before.record_size, "on to the next record");
    __CPROVER_assert(s.bytes >= before.bytes && s.bytes <= s.bytes_end, "the bytes of the next block follow,");
    __CPROVER_assert(s.value_bytes_left <= before.value_bytes_left && s.gap_bytes_left <= before.gap_bytes_left &&
                         s.value_bits == before.value_bits + (before.value_bytes_left - s.value_bytes_left) &&
                         s.gap_bits == before.gap_bits + (before.gap_bytes_left - s.gap_bytes_left),
                     "and so do its raw bits");
  }
  REACHED(right && spk_rans_elements(before.record) > 1000u);
  return 0;
}
