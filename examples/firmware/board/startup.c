/* SPDX-License-Identifier: Apache-2.0 */
/* From reset to main. Your vendor's start-up code does the same, and sets up clocks and caches too. */
#include <stdint.h>

#include "console.h"

int main(void);
void reset(void);
void on_tick(void);

/* The linker script defines these. */
extern uint32_t stack_bottom[], stack_top[], data_in_flash[], data_begin[], data_end[], bss_begin[], bss_end[];

/* The compiler may use vectors here. In reset it must not, because Helium is still off there: hence two functions. */
__attribute__((noinline)) static void run(void) {
  const uint32_t *from = data_in_flash;
  for (uint32_t *to = data_begin; to < data_end; to++) *to = *from++;
  for (uint32_t *to = bss_begin; to < bss_end; to++) *to = 0;
  quit(main());
}

void reset(void) {
  /* A stack that grows too far is a fault from here on. */
  __asm__ volatile("msr msplim, %0" : : "r"(stack_bottom));
  /* CPACR: full access to coprocessors 10 and 11, which are the floating-point unit and Helium. */
  *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20;
  __asm__ volatile("dsb\n isb" : : : "memory");
  run();
}

static void fault(void) {
  print("ERROR: fault\n");
  quit(3);
}

/* The interrupt of the timer, for a program that has one. */
__attribute__((weak)) void on_tick(void) { fault(); }

/* The first entries of the vector table. */
__attribute__((section(".vectors"), used)) static const struct {
  uint32_t *stack;
  void (*handlers[15])(void);
} vectors = {
    stack_top,
    {reset, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, fault, on_tick}};
