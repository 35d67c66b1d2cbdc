/* SPDX-License-Identifier: Apache-2.0 */
/* rans: block after block of a tile whose streams were found, as rans_open.c proves. A block has a proof of its own,
 * rans_block.c, which promises what is assumed here. */
#include "rans_kind.h"

static uint32_t n_blocks, blocks_done;

#include "spk_rans.c"
#include "tile.h"

bool spk_rans_open(const spk_tile *tile, spk_rans_streams *s) {
  ANY(n_blocks);
  const uint64_t size = FLAGS & 1 ? 32760u : 65520u;
  __CPROVER_assume(n_blocks >= 1u && n_blocks <= MOST / size + 1u && n_blocks * size >= tile->n &&
                   (n_blocks - 1u) * size < tile->n);
  *s = streams_of_kind(n_blocks);
  return nondet_any() & 1u;
}

static bool build(const spk_rans_streams *s, tables *t) {
  (void)s, (void)t;
  return nondet_any() & 1u;
}

static bool walk_block(spk_rans_streams *s, const tables *t, int8_t *dst, uint32_t length) {
  (void)t;
  __CPROVER_assert(length >= 1u && length <= s->block_size, "a block has elements");
  __CPROVER_assert(!dst || __CPROVER_w_ok(dst, length), "the destination has room for them");
  __CPROVER_assert(__CPROVER_r_ok(s->record, s->record_size), "the record is there");
  const size_t n_bytes = (size_t)(s->bytes_end - s->bytes);
  __CPROVER_assert(n_bytes == 0 || __CPROVER_r_ok(s->bytes, n_bytes), "so are the bytes that are left,");
  __CPROVER_assert(s->value_bytes_left == 0 || __CPROVER_r_ok(s->value_bits, s->value_bytes_left),
                   "raw bits of values");
  __CPROVER_assert(s->gap_bytes_left == 0 || __CPROVER_r_ok(s->gap_bits, s->gap_bytes_left), "and of gaps");
  uint32_t used, value_used, gap_used;
  ANY(used), ANY(value_used), ANY(gap_used);
  __CPROVER_assume(used <= n_bytes && value_used <= s->value_bytes_left && gap_used <= s->gap_bytes_left);
  blocks_done++;
  s->record += s->record_size;
  s->bytes += used;
  s->value_bits += value_used;
  s->value_bytes_left -= value_used;
  s->gap_bits += gap_used;
  s->gap_bytes_left -= gap_used;
  return nondet_any() & 1u;
}

int main(void) {
  const spk_tile tile = any_tile();
  blocks_done = 0;
  REACHED(walk(&tile, DECODES ? malloc(tile.n) : NULL) == SPK_OK && tile.n > 3u * SPK_RANS_BLOCK);
  return 0;
}
