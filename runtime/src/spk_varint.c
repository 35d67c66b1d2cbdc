/* SPDX-License-Identifier: Apache-2.0 */
/* The varints of a header: seven bits a byte, the lowest first, and a bit that says that more follow. */
#include "spk_internal.h"

const uint8_t *spk_read_varint(const uint8_t *p, const uint8_t *end, uint32_t *value) {
  uint32_t word = 0;
  for (uint32_t shift = 0; shift <= 28 && p != end; shift += 7) {
    const uint8_t byte = *p++;
    word |= (uint32_t)(byte & 0x7Fu) << shift;
    if (byte & 0x80u) continue;
    /* A last byte of 0 would be left out, and the fifth has four bits of the 32. */
    if ((byte == 0 && shift != 0) || (shift == 28 && byte > 15)) return NULL;
    *value = word;
    return p;
  }
  return NULL;
}
