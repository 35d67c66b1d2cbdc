/* SPDX-License-Identifier: Apache-2.0 */
/* spk_open, spk_validate and the decoders, on any bytes: none of them may crash, what validates must decode, and tiles
 * must be what the whole is.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "repair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t *blob = exact_copy(data, size);
  const bool as_it_is = size == 0 || data[0] == SPK_MAGIC;
  if (!as_it_is) {
    const size_t repaired = repair_blob(blob, size, data[0] % 2 == 0);
    uint8_t *shorter = exact_copy(blob, repaired);
    free(blob);
    blob = shorter;
    size = repaired;
  }

  spk_view view;
  const spk_status opened = spk_open(&view, blob, size);
  REQUIRE(size == 0 || as_it_is || opened == SPK_OK);
  if (opened == SPK_OK) fuzz_decode(&view, spk_validate(&view) == SPK_OK);
  free(blob);
  return 0;
}
