/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: the next unit of a word is its first bit that is set, and the others stay. */
#include "mix.h"
#include "spk_classes.c"

int main(void) {
  uint32_t word;
  ANY(word);
  __CPROVER_assume(word != 0);
  const uint32_t before = word, i = take_bit(&word);
  __CPROVER_assert(i < 32u && (i == 0 || before >> (32u - i) == 0), "no bit before it is set,");
  __CPROVER_assert((before >> (31u - i) & 1u) == 1u && word == (before ^ 0x80000000u >> i), "and it alone is cleared");
  REACHED(i == 31u);
  return 0;
}
