/* SPDX-License-Identifier: Apache-2.0 */
/* What -DSPK_CRC32=own_crc32 calls: a CRC-32 that the runtime does not have, bit by bit from the other end. */
#include <stddef.h>
#include <stdint.h>

uint32_t own_crc32(uint32_t crc, const uint8_t *data, size_t size);

static uint32_t reverse(uint32_t word) {
  uint32_t result = 0;
  for (int i = 0; i < 32; i++) result = result << 1 | (word >> i & 1u);
  return result;
}

/* As units in hardware have it: most significant bit first, with 0x04C11DB7. */
uint32_t own_crc32(uint32_t crc, const uint8_t *data, size_t size) {
  uint32_t state = reverse(~crc);
  for (size_t i = 0; i < size; i++) {
    state ^= reverse(data[i]);
    for (int bit = 0; bit < 8; bit++) state = state << 1 ^ (state >> 31 ? 0x04C11DB7u : 0u);
  }
  return ~reverse(state);
}
