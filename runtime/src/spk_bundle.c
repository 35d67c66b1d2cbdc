/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles: many blobs in one file, by name. docs/format.md, section 11. */
#include "spk_bundle.h"

static uint32_t names_size(const spk_bundle *bundle) { return spk_load_u32(bundle->data + 20); }

/* Where the table ends and the names begin. */
static const char *names_begin(const spk_bundle *bundle) {
  return (const char *)bundle->data + SPK_BUNDLE_HEADER + (size_t)SPK_BUNDLE_ENTRY * bundle->n_tensors;
}

/* Where the name ends that begins at text: at its zero byte, or null where there is none in the names. */
static const char *name_end(const spk_bundle *bundle, const char *text) {
  const char *end = names_begin(bundle) + names_size(bundle);
  return (const char *)memchr(text, 0, (size_t)(end - text));
}

/* The name that is n names after text, or null. */
static const char *skip_names(const spk_bundle *bundle, const char *text, uint32_t n) {
  const char *end = name_end(bundle, text);
  for (; n != 0 && end; n--) {
    text = end + 1;
    end = name_end(bundle, text);
  }
  return end ? text : NULL;
}

static bool has_names(const spk_bundle *bundle) { return bundle->data[5] != 0; }

spk_status spk_bundle_open(spk_bundle *bundle, const void *data, size_t size) {
  if (!bundle) return SPK_ERROR_ARGUMENT;
  memset(bundle, 0, sizeof *bundle);
  if (!data) return SPK_ERROR_ARGUMENT;
  const uint8_t *p = (const uint8_t *)data;
  if (size < 4) return SPK_ERROR_TRUNCATED;
  if (memcmp(p, "SPKF", 4) != 0) return SPK_ERROR_MAGIC;
  if (size < SPK_BUNDLE_HEADER) return SPK_ERROR_TRUNCATED;
  if ((uint32_t)size != size) return SPK_ERROR_TRUNCATED;
  spk_bundle_header header;
  const spk_status status = spk_read_bundle_header(&header, p, (uint32_t)size);
  if (status != SPK_OK) return status;
  bundle->data = p;
  bundle->size = (uint32_t)size;
  bundle->n_tensors = header.n_tensors;
  return SPK_OK;
}

spk_status spk_bundle_get(const spk_bundle *bundle, uint32_t i, const char **name, spk_view *view) {
  if (name) *name = NULL;
  if (view) spk_clear_view(view);
  if (!bundle || !bundle->data || !view) return SPK_ERROR_ARGUMENT;
  if (i >= bundle->n_tensors) return SPK_ERROR_NOT_FOUND;
  const char *found = NULL;
  if (name && has_names(bundle)) {
    found = skip_names(bundle, names_begin(bundle), i);
    if (!found) return SPK_ERROR_HEADER;
  }
  /* A blob ends where the next one begins. */
  const uint8_t *entry = bundle->data + SPK_BUNDLE_HEADER + (size_t)SPK_BUNDLE_ENTRY * i;
  const uint32_t begin = spk_load_u32(entry);
  const uint32_t end = i + 1u < bundle->n_tensors ? spk_load_u32(entry + SPK_BUNDLE_ENTRY) : bundle->size;
  if (begin > end || end > bundle->size) return SPK_ERROR_HEADER;
  const spk_status status = spk_open(view, bundle->data + begin, end - begin);
  if (name && status == SPK_OK) *name = found;
  return status;
}

spk_status spk_bundle_find(const spk_bundle *bundle, const char *name, spk_view *view) {
  if (view) spk_clear_view(view);
  if (!bundle || !bundle->data || !name || !view) return SPK_ERROR_ARGUMENT;
  const uint32_t hash = spk_crc32(0, (const uint8_t *)name, strlen(name));
  const char *stored = names_begin(bundle); /* it only moves on, however many hashes are equal */
  uint32_t stored_i = 0;
  for (uint32_t i = 0; i < bundle->n_tensors; i++) {
    if (spk_load_u32(bundle->data + SPK_BUNDLE_HEADER + (size_t)SPK_BUNDLE_ENTRY * i + SPK_BUNDLE_HASH) != hash)
      continue;
    if (has_names(bundle)) {
      stored = skip_names(bundle, stored, i - stored_i);
      if (!stored) return SPK_ERROR_NOT_FOUND;
      stored_i = i;
      if (strcmp(stored, name) != 0) continue;
    }
    return spk_bundle_get(bundle, i, NULL, view);
  }
  return SPK_ERROR_NOT_FOUND;
}

/* Whether there is a name for each tensor, not too long and with the hash that the table says, and nothing else. */
static bool names_hold(const spk_bundle *bundle) {
  const char *text = names_begin(bundle);
  for (uint32_t i = 0; i < bundle->n_tensors; i++) {
    const char *end = name_end(bundle, text);
    if (!end || (size_t)(end - text) > SPK_MAX_NAME) return false;
    const uint32_t hash = spk_crc32(0, (const uint8_t *)text, (size_t)(end - text));
    if (hash != spk_load_u32(bundle->data + SPK_BUNDLE_HEADER + (size_t)SPK_BUNDLE_ENTRY * i + SPK_BUNDLE_HASH))
      return false;
    text = end + 1;
  }
  return text == names_begin(bundle) + names_size(bundle);
}

spk_status spk_bundle_validate(const spk_bundle *bundle) {
  if (!bundle || !bundle->data) return SPK_ERROR_ARGUMENT;
  const uint8_t *p = bundle->data;
  const uint32_t names_end = SPK_BUNDLE_HEADER + SPK_BUNDLE_ENTRY * bundle->n_tensors + names_size(bundle);
  if (bundle->size - names_end < (0u - names_end) % 4u) return SPK_ERROR_HEADER;
  const uint32_t blobs = names_end + (0u - names_end) % 4u;
  const uint32_t crc =
      spk_crc32(spk_crc32(0, p, SPK_BUNDLE_CRC), p + SPK_BUNDLE_AFTER_CRC, blobs - SPK_BUNDLE_AFTER_CRC);
  if (crc != spk_load_u32(p + SPK_BUNDLE_CRC)) return SPK_ERROR_CHECKSUM;
  if (has_names(bundle) && !names_hold(bundle)) return SPK_ERROR_HEADER;
  /* Every blob ends where the next one begins, and the last one with the file. */
  if (blobs != (bundle->n_tensors ? spk_load_u32(p + SPK_BUNDLE_HEADER) : bundle->size)) return SPK_ERROR_HEADER;
  for (uint32_t i = 0; i < bundle->n_tensors; i++) {
    spk_view view;
    spk_status status = spk_bundle_get(bundle, i, NULL, &view);
    if (status == SPK_OK) status = spk_validate(&view);
    if (status != SPK_OK) return status;
  }
  return SPK_OK;
}
