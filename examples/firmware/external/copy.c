/* SPDX-License-Identifier: Apache-2.0 */
/* copy.h says what this stands in for. */
#include "external/copy.h"

#include <string.h>

/* Where QEMU puts the file. The Makefile gives it this address. */
static const uint8_t *const flash = (const uint8_t *)0x60000000u;

/* 64 bytes every 200 cycles of a clock of 25 MHz: 8 MB a second. */
enum { TICK = 200, BYTES_A_TICK = 64, ON = 7, SIZE_AT = 12 };

typedef struct systick {
  volatile uint32_t control, reload, value;
} systick;
static systick *const timer = (systick *)0xE000E010u;

static uint8_t *to;
static const uint8_t *from;
static volatile uint32_t left;

/* The interrupt of the timer; board/startup.c has it in its table. */
void on_tick(void);
void on_tick(void) {
  const uint32_t n = left < BYTES_A_TICK ? left : BYTES_A_TICK;
  memcpy(to, from, n);
  to += n;
  from += n;
  left -= n;
  if (left == 0) timer->control = 0;
}

/* A .spk file says in its header how large it is. */
uint32_t copy_flash_size(void) {
  const uint8_t *const p = flash + SIZE_AT;
  return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

bool copy_start(void *dst, uint32_t offset, uint32_t n) {
  if (left != 0 || n == 0) return false;
  /* A core with a data cache: clean and invalidate dst here, so that nothing of the cache is written over what DMA
   * writes. dst and n must be multiples of a cache line then. */
  to = dst;
  from = flash + offset;
  left = n;
  timer->reload = TICK - 1;
  timer->value = 0;
  timer->control = ON;
  return true;
}

uint32_t copy_left(void) { return left; }

bool copy_wait(void) {
  /* With interrupts off, one that is pending still ends wfi. With interrupts on, the last one might come before it. */
  while (left != 0) {
    __asm__ volatile("cpsid i" : : : "memory");
    if (left != 0) __asm__ volatile("wfi");
    __asm__ volatile("cpsie i" : : : "memory");
  }
  /* A core with a data cache: invalidate dst here, because the cache may hold what was there before. */
  __asm__ volatile("dmb" : : : "memory");
  return true; /* A driver says here whether the transfer has failed. */
}
