/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzz targets share. An input whose first byte is that of a magic is taken as it is; any other is repaired
 * first (../c/repair.h), so that a corpus of real files serves both ways: to change the first byte is to change the
 * way.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spk.h"

/* A broken property ends the run like a crash, and the input is saved. */
#define REQUIRE(condition) \
  if (!(condition)) __builtin_trap()

enum { MAX_ELEMENTS = 1 << 16 }; /* the header of an input of 100 bytes may ask for a gigabyte */

/* size bytes on the heap, not one more, for AddressSanitizer to watch; data may be null. Never null. */
uint8_t *exact_copy(const uint8_t *data, size_t size);

/* Decodes an opened blob, whole and tile by tile, and requires success where valid says that it was validated. */
void fuzz_decode(const spk_view *view, bool valid);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
