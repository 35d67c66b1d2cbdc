/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles whose bytes come from a function. docs/format.md, section 11. */
#include "spk_bundle.h"
#include "spk_fetch.h"

#ifndef SPK_WITHOUT_READER

enum { SOME = 64 }; /* bytes that are read at once */

spk_status spk_reader_open_bundle(spk_reader *reader) {
  uint8_t p[SPK_BUNDLE_HEADER];
  if (!reader || !reader->read) return SPK_ERROR_ARGUMENT;
  spk_clear_view(&reader->view);
  reader->n_tensors = 0;
  reader->is_bundle = 0;
  spk_status status = spk_fetch(reader, 0, p, 4);
  if (status != SPK_OK) return status;
  if (memcmp(p, "SPKF", 4) != 0) return SPK_ERROR_MAGIC;
  status = spk_fetch(reader, 4, p + 4, SPK_BUNDLE_HEADER - 4);
  if (status != SPK_OK) return status;
  spk_bundle_header header;
  status = spk_read_bundle_header(&header, p, reader->size);
  if (status != SPK_OK) return status;
  reader->n_tensors = header.n_tensors;
  reader->names_size = header.names_size;
  reader->has_names = header.has_names;
  reader->is_bundle = 1;
  return SPK_OK;
}

static uint32_t names_begin(const spk_reader *reader) {
  return SPK_BUNDLE_HEADER + SPK_BUNDLE_ENTRY * reader->n_tensors;
}

static spk_status load_hash(const spk_reader *reader, uint32_t i, uint32_t *hash) {
  uint8_t word[4];
  const spk_status status =
      spk_fetch(reader, SPK_BUNDLE_HEADER + SPK_BUNDLE_ENTRY * i + SPK_BUNDLE_HASH, word, sizeof word);
  if (status == SPK_OK) *hash = spk_load_u32(word);
  return status;
}

spk_status spk_reader_get(spk_reader *reader, uint32_t i) {
  uint8_t entries[2 * SPK_BUNDLE_ENTRY];
  if (!reader || !reader->is_bundle) return SPK_ERROR_ARGUMENT;
  spk_clear_view(&reader->view);
  if (i >= reader->n_tensors) return SPK_ERROR_NOT_FOUND;
  /* A blob ends where the next one begins. */
  const bool is_last = i + 1u == reader->n_tensors;
  const spk_status status = spk_fetch(reader, SPK_BUNDLE_HEADER + SPK_BUNDLE_ENTRY * i, entries,
                                      is_last ? SPK_BUNDLE_ENTRY : SPK_BUNDLE_ENTRY + 4);
  if (status != SPK_OK) return status;
  const uint32_t begin = spk_load_u32(entries), end = is_last ? reader->size : spk_load_u32(entries + SPK_BUNDLE_ENTRY);
  if (begin > end || end > reader->size) return SPK_ERROR_HEADER;
  return spk_reader_open(reader, begin, end - begin);
}

/* Where name number i begins, from where the names begin. */
typedef struct name_place {
  uint32_t at, i;
} name_place;

/* Whether name number i is that one. It is looked for from the place on, which moves there. */
static spk_status has_name(const spk_reader *reader, name_place *from, uint32_t i, const char *name, bool *is_equal) {
  const uint32_t begin = names_begin(reader), size = reader->names_size;
  uint8_t some[SOME];
  *is_equal = false;
  for (uint32_t at = from->at, n; at < size; at += n) {
    n = spk_min_u32(SOME, size - at);
    const spk_status status = spk_fetch(reader, begin + at, some, n);
    if (status != SPK_OK) return status;
    for (uint32_t j = 0; j < n; j++) {
      if (from->i != i) {
        from->i += some[j] == 0;
        from->at = at + j + 1u;
        continue;
      }
      if (some[j] != (uint8_t)*name) return SPK_OK;
      *is_equal = *name++ == 0;
      if (*is_equal) return SPK_OK;
    }
  }
  return SPK_ERROR_NOT_FOUND; /* this name ends nowhere, and there is none after it */
}

spk_status spk_reader_find(spk_reader *reader, const char *name) {
  if (!reader || !reader->is_bundle) return SPK_ERROR_ARGUMENT;
  spk_clear_view(&reader->view);
  if (!name) return SPK_ERROR_ARGUMENT;
  const uint32_t wanted = spk_crc32(0, (const uint8_t *)name, strlen(name));
  name_place from = {0, 0}; /* it only moves on, however many hashes are equal */
  for (uint32_t i = 0; i < reader->n_tensors; i++) {
    uint32_t hash;
    bool is_equal = true;
    spk_status status = load_hash(reader, i, &hash);
    if (status != SPK_OK) return status;
    if (hash != wanted) continue;
    if (reader->has_names) status = has_name(reader, &from, i, name, &is_equal);
    if (status != SPK_OK) return status;
    if (is_equal) return spk_reader_get(reader, i);
  }
  return SPK_ERROR_NOT_FOUND;
}

/* Whether there is a name for each tensor, not too long and with the hash that the table says, and nothing else. */
static spk_status check_names(const spk_reader *reader) {
  const uint32_t begin = names_begin(reader), size = reader->names_size;
  uint32_t i = 0, length = 0, crc = 0, hash;
  uint8_t some[SOME];
  for (uint32_t at = 0, n; at < size; at += n) {
    n = spk_min_u32(SOME, size - at);
    spk_status status = spk_fetch(reader, begin + at, some, n);
    for (uint32_t j = 0; j < n && status == SPK_OK; j++) {
      if (some[j] != 0) {
        crc = spk_crc32(crc, &some[j], 1);
        length++;
        continue;
      }
      if (i == reader->n_tensors || length > SPK_MAX_NAME) return SPK_ERROR_HEADER;
      status = load_hash(reader, i++, &hash);
      if (status == SPK_OK && hash != crc) return SPK_ERROR_HEADER;
      crc = length = 0;
    }
    if (status != SPK_OK) return status;
  }
  return i == reader->n_tensors && length == 0 ? SPK_OK : SPK_ERROR_HEADER;
}

static spk_status check_crc(const spk_reader *reader, uint32_t blobs) {
  uint8_t some[SOME];
  uint32_t expected = 0, crc = 0;
  spk_status status = spk_fetch(reader, 0, some, SPK_BUNDLE_HEADER);
  if (status != SPK_OK) return status;
  expected = spk_load_u32(some + SPK_BUNDLE_CRC);
  crc = spk_crc32(0, some, SPK_BUNDLE_CRC);
  for (uint32_t at = SPK_BUNDLE_AFTER_CRC, n; at < blobs; at += n) {
    n = spk_min_u32(SOME, blobs - at);
    status = spk_fetch(reader, at, some, n);
    if (status != SPK_OK) return status;
    crc = spk_crc32(crc, some, n);
  }
  return crc == expected ? SPK_OK : SPK_ERROR_CHECKSUM;
}

spk_status spk_reader_validate_bundle(spk_reader *reader) {
  if (!reader || !reader->is_bundle) return SPK_ERROR_ARGUMENT;
  spk_clear_view(&reader->view);
  const uint32_t names_end = names_begin(reader) + reader->names_size, padding = (0u - names_end) % 4u;
  if (reader->size - names_end < padding) return SPK_ERROR_HEADER;
  const uint32_t blobs = names_end + padding;
  spk_status status = check_crc(reader, blobs);
  if (status == SPK_OK && reader->has_names) status = check_names(reader);
  if (status != SPK_OK) return status;
  uint8_t word[4];
  uint32_t first = reader->size;
  if (reader->n_tensors != 0) {
    status = spk_fetch(reader, SPK_BUNDLE_HEADER, word, sizeof word);
    if (status != SPK_OK) return status;
    first = spk_load_u32(word);
  }
  if (first != blobs) return SPK_ERROR_HEADER;
  for (uint32_t i = 0; i < reader->n_tensors && status == SPK_OK; i++) {
    status = spk_reader_get(reader, i);
    if (status == SPK_OK) status = spk_reader_validate(reader);
  }
  spk_clear_view(&reader->view);
  return status;
}

#endif
