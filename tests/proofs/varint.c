/* SPDX-License-Identifier: Apache-2.0 */
/* spk_read_varint of any bytes. */
#include "model.h"
#include "spk_internal.h"
#include "spk_varint.c"

int main(void) {
  size_t size;
  uint32_t value;
  ANY(size);
  __CPROVER_assume(size <= MOST);
  const uint8_t *p = malloc(size);
  const uint8_t *end = spk_read_varint(p, p + size, &value);
  if (end) __CPROVER_assert(end > p && (size_t)(end - p) <= size && end - p <= 5, "a varint has one to five bytes");
  REACHED(end && end - p == 5);
  return 0;
}
