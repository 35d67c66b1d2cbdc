/* SPDX-License-Identifier: Apache-2.0 */
/* spk_crc32 of any bytes. */
#include "model.h"
#include "spk_crc32.c"

int main(void) {
  size_t size;
  ANY(size);
  __CPROVER_assume(size <= MOST);
  const uint8_t *data = malloc(size);
  (void)spk_crc32((uint32_t)nondet_any(), data, size);
  REACHED(size > 4u);
  return 0;
}
