/* SPDX-License-Identifier: Apache-2.0 */
/* Semihosting: a breakpoint that QEMU answers, as Arm defines it, and RISC-V for itself. Xtensa has an instruction that
 * calls a simulator.
 */
#include "semihosting.h"

#if defined(__xtensa__)

#include <string.h>

enum { SYS_EXIT = 1, SYS_WRITE = 4, STANDARD_OUTPUT = 1 };

static void call(uint32_t operation, uint32_t number, const void *data, uint32_t size) {
  register uint32_t a2 __asm__("a2") = operation;
  register uint32_t a3 __asm__("a3") = number;
  register const void *a4 __asm__("a4") = data;
  register uint32_t a5 __asm__("a5") = size;
  __asm__ volatile("simcall" : "+r"(a2), "+r"(a3) : "r"(a4), "r"(a5) : "memory");
}

void print(const char *text) { call(SYS_WRITE, STANDARD_OUTPUT, text, strlen(text)); }

void exit_with(uint32_t code) {
  for (;;) call(SYS_EXIT, code, NULL, 0);
}

#else

/* Operations of "Semihosting for AArch32 and AArch64". */
enum { SYS_WRITE0 = 0x04, SYS_EXIT_EXTENDED = 0x20, APPLICATION_EXIT = 0x20026 };

#if defined(__riscv)
/* A breakpoint between two instructions that do nothing, none of them compressed, and in one page. */
__attribute__((noinline, aligned(16))) static void call(uint32_t operation, const void *argument) {
  register uint32_t a0 __asm__("a0") = operation;
  register const void *a1 __asm__("a1") = argument;
  __asm__ volatile(
      ".option push\n"
      ".option norvc\n"
      ".balign 16\n"
      "slli x0, x0, 0x1f\n"
      "ebreak\n"
      "srai x0, x0, 7\n"
      ".option pop"
      : "+r"(a0)
      : "r"(a1)
      : "memory");
}
#else
static void call(uint32_t operation, const void *argument) {
  register uint32_t r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}
#endif

void print(const char *text) { call(SYS_WRITE0, text); }

void exit_with(uint32_t code) {
  const uint32_t block[2] = {APPLICATION_EXIT, code};
  call(SYS_EXIT_EXTENDED, block);
  for (;;) {
  }
}

#endif

/* Any base up to 16. */
static void print_number(uint32_t number, uint32_t base) {
  char digits[11], *p = digits + sizeof digits;
  *--p = 0;
  do {
    *--p = "0123456789abcdef"[number % base];
    number /= base;
  } while (number);
  print(p);
}

void print_unsigned(uint32_t number) { print_number(number, 10); }

void print_hex(uint32_t number) {
  print("0x");
  print_number(number, 16);
}
