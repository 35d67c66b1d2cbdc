/* Bundles, on any bytes: nothing may crash, and what validates must be found by number and by name, and decode. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "repair.h"
#include "spk_internal.h"

enum { HEADER = 32, ENTRY = 16 };

/* Right sizes and checksums, of the bundle and of every blob that its table leads to. */
static void repair_bundle(uint8_t *file, size_t size) {
  if (size < HEADER) return;
  const uint32_t table_size = spk_load_u32(file + 20) % (uint32_t)(size - HEADER + 1);
  const uint32_t n_tensors = spk_load_u32(file + 8) % (table_size / ENTRY + 1);
  memcpy(file, "SPKF\1", 5);
  store_u32(file + 8, n_tensors);
  store_u32(file + 12, (uint32_t)size);
  store_u32(file + 20, table_size);
  for (uint32_t i = 0; i < n_tensors; i++) {
    const uint8_t *entry = file + HEADER + ENTRY * i;
    const uint32_t offset = spk_load_u32(entry + 8), blob_size = spk_load_u32(entry + 12);
    spk_view view;
    if (offset > size || blob_size > size - offset) continue;
    if (spk_open(&view, file + offset, blob_size) == SPK_OK) seal_blob(file + offset, blob_size);
  }
  store_u32(file + 16, spk_crc32(spk_crc32(0, file, 16), file + 20, HEADER - 20 + table_size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t *file = exact_copy(data, size);
  if (size != 0 && data[0] != 'S') repair_bundle(file, size);

  spk_bundle bundle;
  if (spk_bundle_open(&bundle, file, size) == SPK_OK) {
    const bool valid = spk_bundle_validate(&bundle) == SPK_OK;
    spk_view view;
    REQUIRE(spk_bundle_get(&bundle, bundle.n_tensors, NULL, &view) == SPK_ERROR_NOT_FOUND);
    for (uint32_t i = 0; i < bundle.n_tensors; i++) {
      const char *name = NULL;
      const spk_status status = spk_bundle_get(&bundle, i, &name, &view);
      REQUIRE(!valid || status == SPK_OK);
      if (status != SPK_OK) continue;
      fuzz_decode(&view, valid);
      REQUIRE(strlen(name) < size);
      REQUIRE(spk_bundle_find(&bundle, name, &view) == SPK_OK || !valid);
    }
  }
  free(file);
  return 0;
}
