/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles, on any bytes: nothing may crash, and what validates must be found by number and by name, and decode. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "repair.h"
#include "spk_internal.h"

enum { HEADER = 24, ENTRY = 8 };

/* Right sizes, hashes and checksums, of the bundle and of every blob that its table leads to. */
static void repair_bundle(uint8_t *file, size_t size) {
  if (size < HEADER) return;
  const uint32_t n_tensors = spk_load_u32(file + 8) % ((uint32_t)(size - HEADER) / ENTRY + 1);
  const uint32_t table_end = HEADER + ENTRY * n_tensors;
  const bool names = file[5] & 1;
  const uint32_t names_size = names ? spk_load_u32(file + 20) % (uint32_t)(size - table_end + 1) : 0;
  uint32_t begin = (table_end + names_size + 3u) & ~3u;
  if (begin > size) begin = (uint32_t)size;
  memcpy(file, "SPKF\1", 5);
  file[5] = names;
  store_u32(file + 8, n_tensors);
  store_u32(file + 12, (uint32_t)size);
  store_u32(file + 20, names_size);
  const uint8_t *name = file + table_end;
  for (uint32_t i = 0; i < n_tensors; i++) {
    uint8_t *entry = file + HEADER + ENTRY * i;
    const uint32_t offset = spk_load_u32(entry);
    const uint32_t end = i + 1 < n_tensors ? spk_load_u32(entry + ENTRY) : (uint32_t)size;
    const uint8_t *zero = memchr(name, 0, (size_t)(file + table_end + names_size - name));
    if (zero) {
      store_u32(entry + 4, spk_crc32(0, name, (size_t)(zero - name)));
      name = zero + 1;
    }
    spk_view view;
    if (offset > end || end > size) continue;
    if (spk_open(&view, file + offset, end - offset) == SPK_OK) seal_blob(file + offset, end - offset);
  }
  store_u32(file + 16, spk_crc32(spk_crc32(0, file, 16), file + 20, begin - 20));
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
      if (!name) continue;
      REQUIRE(strlen(name) < size);
      REQUIRE(spk_bundle_find(&bundle, name, &view) == SPK_OK || !valid);
    }
  }
  free(file);
  return 0;
}
