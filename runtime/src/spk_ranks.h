/* SPDX-License-Identifier: Apache-2.0 */
/* The short description of a table: the rank of each symbol, a small number, as runs of equal ones. rans makes
 * frequencies of them, huffman lengths of codes. docs/format.md, section 9. */
#ifndef SPK_RANKS_H
#define SPK_RANKS_H

#include "spk_internal.h"
#include "spk_value_bins.h"

/* The bits of a description, most significant first. */
typedef struct spk_description {
  const uint8_t *data;
  uint32_t bit, n_bits; /* the next one; beyond n_bits once there were too few */
} spk_description;

/* What the ranks of n symbols stand for, n at least 1: entries[rank], 16 bytes. Returns false where the description is
 * of no ranks. */
bool spk_read_ranks(spk_description *description, const uint8_t *entries, uint8_t *to, uint32_t n);

/* The same for n value symbols, which may be described once for both signs. There is room for n. */
bool spk_read_value_ranks(spk_description *description, const spk_value_bins *bins, const uint8_t *entries, uint8_t *to,
                          uint32_t n);

/* Whether it ends with the byte that was read last. */
SPK_INLINE bool spk_description_ends(const spk_description *description) {
  return (description->bit + 7u) / 8u * 8u == description->n_bits;
}

#endif
