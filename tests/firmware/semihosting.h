/* SPDX-License-Identifier: Apache-2.0 */
/* What a bare-metal program asks of QEMU: to print, and to end with an exit code. */
#ifndef SEMIHOSTING_H
#define SEMIHOSTING_H

#include <stdint.h>

void print(const char *text);
void print_unsigned(uint32_t number);
void print_hex(uint32_t number);

__attribute__((noreturn)) void exit_with(uint32_t code);

#endif
