/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32. SPK_CRC32_TABLE is the number of entries of its table: 16 (the default, 64 bytes) takes four bits at a time,
 * 256 (1 KiB) takes eight, and 0 has no table. Or SPK_CRC32 names a function of yours, for example for a CRC unit.
 */
#include "spk_internal.h"

#ifdef SPK_CRC32

uint32_t SPK_CRC32(uint32_t crc, const uint8_t *data, size_t size);

uint32_t spk_crc32(uint32_t crc, const uint8_t *data, size_t size) { return SPK_CRC32(crc, data, size); }

#else

#ifndef SPK_CRC32_TABLE
#define SPK_CRC32_TABLE 16
#endif

/* A CRC is linear: an entry is the sum of those of its bits. */
#define BIT(i, bit, entry) (((i) >> (bit) & 1u) * UINT32_C(entry))
#define NIBBLE(i, bit)                                                                       \
  (BIT(i, bit, 0x1DB71064) ^ BIT(i, (bit) + 1, 0x3B6E20C8) ^ BIT(i, (bit) + 2, 0x76DC4190) ^ \
   BIT(i, (bit) + 3, 0xEDB88320))
#define FOUR(entry, i) entry(i), entry((i) + 1u), entry((i) + 2u), entry((i) + 3u)
#define SIXTEEN(entry, i) FOUR(entry, i), FOUR(entry, (i) + 4u), FOUR(entry, (i) + 8u), FOUR(entry, (i) + 12u)

#if SPK_CRC32_TABLE == 16

#define ENTRY(i) NIBBLE(i, 0)
static const uint32_t table[16] = {SIXTEEN(ENTRY, 0u)};

SPK_INLINE uint32_t add_byte(uint32_t crc, uint32_t byte) {
  crc ^= byte;
  crc = crc >> 4 ^ table[crc & 15u];
  return crc >> 4 ^ table[crc & 15u];
}

#elif SPK_CRC32_TABLE == 256

#define ENTRY(i) \
  (BIT(i, 0, 0x77073096) ^ BIT(i, 1, 0xEE0E612C) ^ BIT(i, 2, 0x076DC419) ^ BIT(i, 3, 0x0EDB8832) ^ NIBBLE(i, 4))
#define ROW(i) SIXTEEN(ENTRY, i), SIXTEEN(ENTRY, (i) + 16u), SIXTEEN(ENTRY, (i) + 32u), SIXTEEN(ENTRY, (i) + 48u)
static const uint32_t table[256] = {ROW(0u), ROW(64u), ROW(128u), ROW(192u)};

SPK_INLINE uint32_t add_byte(uint32_t crc, uint32_t byte) { return crc >> 8 ^ table[(crc ^ byte) & 255u]; }

#elif SPK_CRC32_TABLE == 0

static uint32_t add_byte(uint32_t crc, uint32_t byte) {
  crc ^= byte;
  SPK_NO_UNROLL
  for (uint32_t bits = 8; bits; bits--) crc = crc >> 1 ^ (UINT32_C(0xEDB88320) & (0u - (crc & 1u)));
  return crc;
}

#else
#error "SPK_CRC32_TABLE must be 0, 16 or 256."
#endif

uint32_t spk_crc32(uint32_t crc, const uint8_t *data, size_t size) {
  crc = ~crc;
#if SPK_CRC32_TABLE == 256
  SPK_NO_UNROLL
  for (; size >= 4u; size -= 4u, data += 4) {
    crc ^= spk_load_u32(data);
    SPK_UNROLL(4)
    for (uint32_t i = 0; i < 4u; i++) crc = add_byte(crc, 0);
  }
#endif
  SPK_NO_UNROLL
  for (; size; size--) crc = add_byte(crc, *data++);
  return ~crc;
}

#endif
