/* SPDX-License-Identifier: Apache-2.0 */
/* What firmware needs whose calls count.c counts. For the one file that has its main. */
#ifndef COUNTED_H
#define COUNTED_H

#include <stdint.h>
#include <string.h>

#include "check.h"

/* Where run.py has QEMU load the blobs: m55.ld, m4.ld */
extern const uint8_t image[];

/* Not in .bss, which is cleared at reset: those stores would count. */
#define MARKER __attribute__((section(".data.markers")))
MARKER volatile uint32_t count_begin = 1, count_end = 1;

const char *check_context = "start";

static uint32_t load_u32(const uint8_t *p) {
  uint32_t word;
  memcpy(&word, p, sizeof word);
  return word;
}

#endif
