/* SPDX-License-Identifier: Apache-2.0 */
/* huffman: the raw bits of any number of values. */
#include "spk_huffman.c"
#include "tile.h"
#include "words.h"

int main(void) {
  uint32_t count;
  ANY(count);
  __CPROVER_assume(count >= 1u && count <= MOST);
  uint8_t *values = malloc(count);
  const uint8_t *raw_bits = malloc(spk_ceil_div(count, 8u / RAW));
  spk_huffman_add_raw_bits(values, count, raw_bits, RAW);
  REACHED(count > 200u);
  return 0;
}
