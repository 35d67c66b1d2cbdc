/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for one source and one destination at a time, in the two ways that show a decoder's missteps. The host lends
 * blocks of the heap, the firmware what its linker script sets aside.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>
#include <stdint.h>

typedef enum memory_use { SOURCE, DESTINATION } memory_use;

/* In front of and behind a destination that lend gave, and, until it is written, in it. */
enum { GUARD = 64, GUARD_BYTE = 0xA5 };

/* size bytes, misalignment bytes behind a multiple of 16. Null when there is no room. */
uint8_t *lend(memory_use use, size_t size, unsigned misalignment);

/* size bytes with nothing behind them: the next byte faults, on the firmware, or is watched by AddressSanitizer. */
uint8_t *lend_tight(memory_use use, size_t size);

/* Ends a loan, so that the next one may begin. */
void give_back(memory_use use);

#endif
