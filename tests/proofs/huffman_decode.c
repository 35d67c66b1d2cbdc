/* SPDX-License-Identifier: Apache-2.0 */
/* huffman: a chunk of symbols from a stream of any bytes, of any size, with any code that huffman_safe.h allows. */
#include "huffman_safe.h"
#include "tile.h"

int main(void) {
  static decoder d;
  static entry table[1u << INDEX_BITS];
  __CPROVER_havoc_object(&d);
  __CPROVER_havoc_object(table);
  uint32_t size, done, count, left;
  ANY(size), ANY(done), ANY(count), ANY(left);
  __CPROVER_assume(size <= MOST && done <= size);
  const uint8_t *stream = malloc(size);
  d.next = stream + done;
  d.stream_end = stream + size;
  d.fours = table;
  d.pairs = NULL;
  /* bit may be any of the next byte, if there is one */
  __CPROVER_assume(d.bit < 8u && (done < size || d.bit == 0));
  __CPROVER_assume(is_safe_code(&d) && left >= 1u && left <= MOST);
  __CPROVER_assume(count == (WHOLE ? left : spk_min_u32(left, SPK_HUFFMAN_CHUNK)));
  __CPROVER_assume(d.ready <= (uint32_t)CAREFUL && d.ready <= left);
  for (uint32_t i = 0; i < 1u << INDEX_BITS; i++) __CPROVER_assume(is_safe_entry(&table[i]));
  uint8_t *to = malloc(WHOLE ? count : count + (uint32_t)CAREFUL);
  const bool there = decode(&d, to, count, left);
  if (there && d.has_codes) {
    __CPROVER_assert(d.next <= d.stream_end && d.bit < 8u && (d.next < d.stream_end || d.bit == 0),
                     "the place is in it");
    __CPROVER_assert(d.ready <= (uint32_t)CAREFUL && d.ready <= left - count, "what is ready is of the next chunk");
  }
  REACHED(there && d.has_codes);
  return 0;
}
