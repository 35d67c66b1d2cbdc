/* SPDX-License-Identifier: Apache-2.0 */
/* Walls behind the regions SOURCE and DESTINATION of the linker script: the physical memory protection refuses what
 * lies there, also in machine mode, where an entry is locked.
 */
#include "walls.h"

#include <stdint.h>

enum {
  WALL = 64 << 10,    /* bytes, at a multiple of as many */
  LOCKED = 1 << 7,    /* no permission is set */
  POWER_OF_2 = 3 << 3 /* addressing, with the size in the low bits of the address */
};

extern uint8_t source_end[], destination_end[]; /* the linker script */

static uint32_t address_of(const uint8_t *begin) { return (uint32_t)(uintptr_t)begin >> 2 | (WALL / 8 - 1); }

void build_walls(void) {
  const uint32_t entry = LOCKED | POWER_OF_2;
  __asm__ volatile("csrw pmpaddr0, %0" : : "r"(address_of(source_end)));
  __asm__ volatile("csrw pmpaddr1, %0" : : "r"(address_of(destination_end)));
  __asm__ volatile("csrw pmpcfg0, %0" : : "r"(entry << 8 | entry) : "memory");
}
