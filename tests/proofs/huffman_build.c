/* SPDX-License-Identifier: Apache-2.0 */
/* huffman: a code of CODES symbols of any lengths, with its table of fours, and what decoding assumes of both:
 * huffman_safe.h says what that is. */
#include "huffman_safe.h"
#include "tile.h"

int main(void) {
  static decoder d;
  static entry table[1u << INDEX_BITS];
  uint8_t lengths[CODES];
  __CPROVER_havoc_object(lengths);
  const uint32_t n = CODES;
  for (uint32_t i = 0; i < CODES; i++) __CPROVER_assume(lengths[i] <= 15u);
  const span spans[3] = {{n, 1, 1}, {0, 0, 0}, {0, 0, 0}};
  d.fours = FOURS ? table : NULL;
  const bool is_code = build(&d, lengths, n, spans);
  if (is_code) {
    __CPROVER_assert(is_safe_code(&d), "the code is as decoding assumes");
    if (FOURS) __CPROVER_assert(is_safe_table(&d), "so is the table");
  }
  REACHED(is_code);
  return 0;
}
