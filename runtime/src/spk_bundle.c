/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles: many blobs in one file, by name. docs/format.md, section 11. */
#include "spk_internal.h"

enum { HEADER = 32, ENTRY = 16 };

spk_status spk_bundle_open(spk_bundle *bundle, const void *data, size_t size) {
  if (!bundle || !data) return SPK_ERROR_ARGUMENT;
  const uint8_t *p = (const uint8_t *)data;
  if (size < 4) return SPK_ERROR_TRUNCATED;
  if (memcmp(p, "SPKF", 4) != 0) return SPK_ERROR_MAGIC;
  if (size < HEADER) return SPK_ERROR_TRUNCATED;
  if (p[4] != SPK_VERSION) return SPK_ERROR_VERSION;
  if (spk_load_u32(p + 12) != size) return SPK_ERROR_TRUNCATED;
  const uint32_t n_tensors = spk_load_u32(p + 8), table_size = spk_load_u32(p + 20);
  if (table_size > size - HEADER || n_tensors > table_size / ENTRY) return SPK_ERROR_HEADER;
  bundle->data = p;
  bundle->size = (uint32_t)size;
  bundle->n_tensors = n_tensors;
  return SPK_OK;
}

spk_status spk_bundle_get(const spk_bundle *bundle, uint32_t i, const char **name, spk_view *view) {
  if (!bundle || !view) return SPK_ERROR_ARGUMENT;
  if (i >= bundle->n_tensors) return SPK_ERROR_NOT_FOUND;
  const uint8_t *entry = bundle->data + HEADER + (size_t)ENTRY * i;
  const uint32_t name_offset = spk_load_u32(entry), name_size = spk_load_u32(entry + 4);
  const uint32_t blob_offset = spk_load_u32(entry + 8), blob_size = spk_load_u32(entry + 12);
  /* The name and the zero byte behind it lie in the file, and it has no other zero byte. */
  if (name_offset >= bundle->size || name_size >= bundle->size - name_offset) return SPK_ERROR_HEADER;
  const uint8_t *text = bundle->data + name_offset;
  if (memchr(text, 0, (size_t)name_size + 1) != text + name_size) return SPK_ERROR_HEADER;
  if (name) *name = (const char *)text;
  if (blob_offset > bundle->size || blob_size > bundle->size - blob_offset) return SPK_ERROR_HEADER;
  return spk_open(view, bundle->data + blob_offset, blob_size);
}

spk_status spk_bundle_find(const spk_bundle *bundle, const char *name, spk_view *view) {
  if (!bundle || !name || !view) return SPK_ERROR_ARGUMENT;
  for (uint32_t i = 0; i < bundle->n_tensors; i++) {
    const char *candidate = NULL;
    const spk_status status = spk_bundle_get(bundle, i, &candidate, view);
    if (candidate && strcmp(candidate, name) == 0) return status;
  }
  return SPK_ERROR_NOT_FOUND;
}

spk_status spk_bundle_validate(const spk_bundle *bundle) {
  if (!bundle) return SPK_ERROR_ARGUMENT;
  const uint8_t *p = bundle->data;
  uint32_t crc = spk_crc32(0, p, 16);
  crc = spk_crc32(crc, p + 20, HEADER - 20 + (size_t)spk_load_u32(p + 20));
  if (crc != spk_load_u32(p + 16)) return SPK_ERROR_CHECKSUM;
  const uint32_t table_end = HEADER + spk_load_u32(p + 20);
  uint32_t end = table_end;
  for (uint32_t i = 0; i < bundle->n_tensors; i++) {
    spk_view view;
    spk_status status = spk_bundle_get(bundle, i, NULL, &view);
    if (status == SPK_OK) status = spk_validate(&view);
    if (status != SPK_OK) return status;
    /* Names lie in the table, which the checksum covers; blobs follow each other without holes. */
    const uint8_t *entry = p + HEADER + (size_t)ENTRY * i;
    const uint32_t name_offset = spk_load_u32(entry), name_size = spk_load_u32(entry + 4);
    if (name_size > SPK_MAX_NAME || name_offset < HEADER + ENTRY * bundle->n_tensors) return SPK_ERROR_HEADER;
    if (name_offset >= table_end || name_size >= table_end - name_offset) return SPK_ERROR_HEADER;
    const uint32_t blob_offset = spk_load_u32(entry + 8);
    if (blob_offset % 16u != 0 || blob_offset < end || blob_offset - end >= 16u) return SPK_ERROR_HEADER;
    end = blob_offset + spk_load_u32(entry + 12);
  }
  return end == bundle->size ? SPK_OK : SPK_ERROR_HEADER;
}
