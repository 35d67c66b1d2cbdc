/* SPDX-License-Identifier: Apache-2.0 */
/* What build() of spk_huffman.c promises of a code, and what decoding needs for memory safety and to end: the last end
 * is that of all windows, so that every window has a length of at most 12; an entry of the table has up to four symbols
 * and up to 8 bits, at least one for each, or it is empty. */
#ifndef HUFFMAN_SAFE_H
#define HUFFMAN_SAFE_H

#include "spk_huffman.c"

static bool is_safe_code(const decoder *d) { return d->end[MAX_LENGTH] == 1u << MAX_LENGTH; }

static bool is_safe_entry(const entry *e) {
  const uint32_t bits = e->step & 255u, symbols = e->step >> 8;
  return e->step == 0 || (symbols >= 1u && symbols <= (uint32_t)ENTRY_SYMBOLS && bits >= symbols && bits <= INDEX_BITS);
}

static bool is_safe_table(const decoder *d) {
  bool safe = true;
  for (uint32_t i = 0; i < 1u << INDEX_BITS; i++) safe = safe && is_safe_entry(&d->fours[i]);
  return safe;
}

#endif
