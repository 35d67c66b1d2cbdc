/* SPDX-License-Identifier: Apache-2.0 */
/* From reset to main, and what happens when something is touched that is not there. */
#ifndef STARTUP_H
#define STARTUP_H

#include <stdbool.h>
#include <stdint.h>

/* The exit code of a fault that nobody expected; the program prints what it was. */
enum { FAULT_EXIT_CODE = 99 };

/* While is_probing is set, a fault skips the instruction that caused it and sets has_faulted. */
extern volatile bool is_probing, has_faulted;

/* Whether reading a byte, or a word, at an address faults. */
bool byte_faults(const volatile uint8_t *address);
bool word_faults(const volatile uint32_t *address);

int main(void);

#endif
