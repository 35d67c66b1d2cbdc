/* SPDX-License-Identifier: Apache-2.0 */
/* Walls behind the regions SOURCE and DESTINATION of the linker scripts. */
#include "walls.h"

#include <stdint.h>

#if __ARM_ARCH < 8

/* QEMU's other MPS2 boards ignore accesses to nowhere: the memory protection unit (PMSAv7) has to refuse them. */

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define MPU_CTRL REGISTER(0xE000ED94u)
#define MPU_RNR REGISTER(0xE000ED98u)  /* region number */
#define MPU_RBAR REGISTER(0xE000ED9Cu) /* region base address, a multiple of the region's size */
#define MPU_RASR REGISTER(0xE000EDA0u) /* region attributes and size */

enum {
  CTRL_ENABLE = 1 << 0,
  CTRL_DEFAULT_MAP = 1 << 2, /* where there is no region */
  RASR_ENABLE = 1 << 0,
  RASR_64_KIB = 15 << 1,
  RASR_NO_ACCESS = 0 << 24
};

extern uint8_t source_end[], destination_end[]; /* the linker scripts, which leave 64 KiB free behind each */

static void build_wall(uint32_t region, const uint8_t *begin) {
  MPU_RNR = region;
  MPU_RBAR = (uint32_t)(uintptr_t)begin;
  MPU_RASR = RASR_NO_ACCESS | RASR_64_KIB | RASR_ENABLE;
}

void build_walls(void) {
  build_wall(0, source_end);
  build_wall(1, destination_end);
  MPU_CTRL = CTRL_DEFAULT_MAP | CTRL_ENABLE;
  __asm__ volatile("dsb\n isb" ::: "memory");
}

#else

/* MPS2 with AN505, and MPS3: nothing is mapped behind either region. */
void build_walls(void) {}

#endif
