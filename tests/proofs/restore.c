/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: prediction, for any distances and any number of elements. */
#include "spk_restore.c"
#include "spk_transforms.h"
#include "tile.h"

int main(void) {
  spk_prediction prediction;
  uint32_t n;
  ANY(prediction.kind), ANY(prediction.distance), ANY(prediction.second), ANY(n);
  __CPROVER_assume(prediction.kind <= 4u && prediction.distance >= 1u && prediction.second >= 1u);
  __CPROVER_assume(n >= 1u && n <= MOST);
  int8_t *dst = malloc(n);
  spk_restore(&prediction, dst, n);
  REACHED(n > prediction.distance && n > prediction.second);
  return 0;
}
