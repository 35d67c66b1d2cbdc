/* SPDX-License-Identifier: Apache-2.0 */
/* Arbitrary bytes become a blob whose header holds, so that whatever else is wrong with them lies deeper: the mutation
 * test and the fuzz targets would otherwise spend their time being refused by spk_open and by the CRC-32.
 */
#ifndef REPAIR_H
#define REPAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REPAIR_MAX_ELEMENTS = 4096 };

/* Makes a blob of the first bytes, and keeps of the header whatever makes sense. The tile index is part of the payload
 * and repaired on demand. Returns the size of the blob, at most size, or 0 when size is too small for any. */
size_t repair_blob(uint8_t *bytes, size_t size, bool tile_index);

/* Gives a blob of at least 12 bytes the CRC-32 that its bytes demand. */
void seal_blob(uint8_t *blob, size_t size);

void store_u32(uint8_t *p, uint32_t value);

/* Returns where the varint ends: after five bytes at most. */
uint8_t *store_varint(uint8_t *p, uint32_t value);

#endif
