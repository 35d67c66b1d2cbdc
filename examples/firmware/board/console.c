/* SPDX-License-Identifier: Apache-2.0 */
/* The console by semihosting: the program stops at a breakpoint, and QEMU or a debugger does what r0 and r1 ask for.
 * Without either of them the breakpoint is a fault.
 */
#include "console.h"

enum { WRITE_STRING = 0x04, EXIT = 0x20, PROGRAM_ENDED = 0x20026 };

static void ask_host(uint32_t operation, const void *parameter) {
  __asm__ volatile(
      "mov r0, %0\n"
      "mov r1, %1\n"
      "bkpt 0xab\n"
      :
      : "r"(operation), "r"(parameter)
      : "r0", "r1", "memory");
}

void print(const char *text) { ask_host(WRITE_STRING, text); }

void print_number(uint32_t number) {
  char text[11] = ""; /* ten digits and the zero that ends them */
  int first = 10;
  do {
    text[--first] = (char)('0' + number % 10u);
    number /= 10u;
  } while (number != 0);
  print(&text[first]);
}

void quit(int code) {
  const uint32_t reason_and_code[2] = {PROGRAM_ENDED, (uint32_t)code};
  ask_host(EXIT, reason_and_code);
  for (;;) {
  }
}
