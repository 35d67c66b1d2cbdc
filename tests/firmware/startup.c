/* SPDX-License-Identifier: Apache-2.0 */
/* Reset, the vector table, and faults: those that are expected are noted, any other ends the program. */
#include "startup.h"

#include "check.h"
#include "semihosting.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define CCR REGISTER(0xE000ED14u)   /* Configuration and Control */
#define CFSR REGISTER(0xE000ED28u)  /* Configurable Fault Status */
#define HFSR REGISTER(0xE000ED2Cu)  /* HardFault Status */
#define MMFAR REGISTER(0xE000ED34u) /* MemManage Fault Address */
#define BFAR REGISTER(0xE000ED38u)  /* BusFault Address */
#define CPACR REGISTER(0xE000ED88u) /* Coprocessor Access Control */

enum { UNALIGN_TRP = 1 << 3, CP10_AND_CP11 = 0xF << 20 };

extern uint32_t stack_top[], bss_begin[], bss_end[]; /* sections.ld */

volatile bool is_probing, has_faulted;

/* What the processor pushed: r0 to r3, r12, lr, pc, xpsr. Called by fault, and returns to what was interrupted. */
__attribute__((used)) static void on_fault(uint32_t *frame) {
  uint32_t *pc = &frame[6];
  if (is_probing) {
    const uint16_t instruction = *(const uint16_t *)*pc;
    const bool is_wide = instruction >> 11 >= 0x1D; /* 11101, 11110 and 11111 begin 32-bit instructions */
    *pc += is_wide ? 4 : 2;
    has_faulted = true;
    CFSR = CFSR; /* writing ones clears */
    HFSR = HFSR;
    return;
  }
  print("FAULT at pc=");
  print_hex(*pc);
  print(" CFSR=");
  print_hex(CFSR);
  print(" HFSR=");
  print_hex(HFSR);
  print(" MMFAR=");
  print_hex(MMFAR);
  print(" BFAR=");
  print_hex(BFAR);
  print(" [");
  print(check_context);
  print("]\n");
  exit_with(FAULT_EXIT_CODE);
}

__attribute__((naked)) static void fault(void) {
  __asm__ volatile(
      "mrs r0, msp\n"
      "b %c0"
      :
      : "i"(on_fault));
}

__attribute__((noreturn)) void reset(void); /* the linker script's entry point */
__attribute__((noreturn)) void reset(void) {
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
  CPACR |= CP10_AND_CP11;
  __asm__ volatile("dsb\n isb" ::: "memory");
#endif
#ifndef __ARM_FEATURE_UNALIGNED
  CCR |= UNALIGN_TRP; /* as on the processor that the code is for */
#endif
  for (volatile uint32_t *word = bss_begin; word != bss_end; word++) *word = 0;
  exit_with((uint32_t)main());
}

/* .data needs no copying: QEMU loads it where it runs. */
typedef void handler(void);
__attribute__((used, section(".vectors"))) static const struct {
  uint32_t *stack_top;
  handler *reset, *nmi, *hard_fault, *mem_manage, *bus_fault, *usage_fault, *secure_fault;
} vector_table = {stack_top, reset, fault, fault, fault, fault, fault, fault};
