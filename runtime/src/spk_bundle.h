/* SPDX-License-Identifier: Apache-2.0 */
/* The header and the table of a bundle, wherever its bytes come from. docs/format.md, section 11. */
#ifndef SPK_BUNDLE_H
#define SPK_BUNDLE_H

#include "spk_internal.h"

/* Where the numbers are, in bytes from the begin of the file, and those of an entry of the table from its begin. */
enum {
  SPK_BUNDLE_CRC = 16,
  SPK_BUNDLE_AFTER_CRC = 20,
  SPK_BUNDLE_HEADER = 24, /* where the table begins */
  SPK_BUNDLE_HASH = 4,
  SPK_BUNDLE_ENTRY = 8 /* where the next entry begins */
};

typedef struct spk_bundle_header {
  uint32_t n_tensors, names_size;
  bool has_names;
} spk_bundle_header;

/* Read the header at p of a file of size bytes, of which the first four are known to be right. */
SPK_INLINE spk_status spk_read_bundle_header(spk_bundle_header *header, const uint8_t *p, uint32_t size) {
  enum { NAMES_STORED = 1 };
  if (p[4] != SPK_VERSION) return SPK_ERROR_VERSION;
  if (spk_load_u32(p + 12) != size) return SPK_ERROR_TRUNCATED;
  const uint32_t left = size - (uint32_t)SPK_BUNDLE_HEADER;
  header->n_tensors = spk_load_u32(p + 8);
  header->names_size = spk_load_u32(p + 20);
  header->has_names = p[5] == NAMES_STORED;
  if (p[5] > NAMES_STORED || (!header->has_names && header->names_size != 0)) return SPK_ERROR_HEADER;
  if (header->n_tensors > left / SPK_BUNDLE_ENTRY) return SPK_ERROR_HEADER;
  if (header->names_size > left - SPK_BUNDLE_ENTRY * header->n_tensors) return SPK_ERROR_HEADER;
  return SPK_OK;
}

#endif
