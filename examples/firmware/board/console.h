/* SPDX-License-Identifier: Apache-2.0 */
/* Where the program prints to. Replace console.c with a driver of your UART. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdint.h>

void print(const char *text);
void print_number(uint32_t number);

/* End the emulation with this exit code. Does not return. */
void quit(int code);

#endif
