/* SPDX-License-Identifier: Apache-2.0 */
/* Bitmaps, expanded: spk_tflm_prune_s8, any number of elements and of values. The values lie apart, or at the end of
 * the destination, where they are read before they are overwritten only if as many bits are set as there are values;
 * memory is safe whether or not that is so. */
#include "spk_tflm_prune_s8.c"
#include "tile.h"

int main(void) {
  size_t n, n_values, n_bitmap;
  ANY(n), ANY(n_values), ANY(n_bitmap);
  __CPROVER_assume(n <= MOST && n_values <= MOST && n_bitmap <= MOST);
  const uint8_t *bitmap = malloc(n_bitmap);
  int8_t *dst = malloc(n);
  const int8_t *values;
#ifdef INSIDE
  __CPROVER_assume(n_values <= n);
  values = dst + (n - n_values);
#else
  values = malloc(n_values);
#endif
  REACHED(spk_tflm_prune_s8(dst, n, bitmap, n_bitmap, values, n_values) == SPK_OK && n > 8u);
  return 0;
}
