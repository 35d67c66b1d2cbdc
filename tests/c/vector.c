/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the image that ../vectors/image.py writes. */
#include "vector.h"

#include "spk_internal.h"

enum { HEADER = 12, ENTRY = 24, BUNDLE = 1 };

uint32_t n_vectors(const uint8_t *image, size_t size) {
  if (size < HEADER || memcmp(image, "SPKV", 4) != 0) return 0;
  return spk_load_u32(image + 8) <= size ? spk_load_u32(image + 4) : 0;
}

vector get_vector(const uint8_t *image, uint32_t i) {
  const uint8_t *entry = image + HEADER + ENTRY * i;
  vector v;
  v.name = (const char *)image + spk_load_u32(entry);
  v.data = image + spk_load_u32(entry + 4);
  v.size = spk_load_u32(entry + 8);
  v.raw = image + spk_load_u32(entry + 12);
  v.raw_size = spk_load_u32(entry + 16);
  v.is_bundle = entry[20] == BUNDLE;
  v.opened = entry[21];
  v.validated = entry[22];
  v.decoded = entry[23];
  v.is_valid = v.validated == SPK_OK;
  return v;
}
