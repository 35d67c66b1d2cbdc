/* SPDX-License-Identifier: Apache-2.0 */
/* Reset and traps on RISC-V in machine mode: faults that are expected are noted, any other ends the program. */
#include "startup.h"

#include "check.h"
#include "semihosting.h"

#define READ(csr, to) __asm__ volatile("csrr %0, " #csr : "=r"(to))
#define WRITE(csr, from) __asm__ volatile("csrw " #csr ", %0" : : "r"(from))

enum { WITH_VECTORS = 3 << 9, WITH_FLOATS = 3 << 13 }; /* of mstatus */

extern uint32_t bss_begin[], bss_end[]; /* sections.ld */

volatile bool is_probing, has_faulted;

__attribute__((interrupt, aligned(4))) static void on_trap(void) {
  uint32_t cause, pc, address;
  READ(mcause, cause);
  READ(mepc, pc);
  READ(mtval, address);
  if (is_probing) {
    const bool is_wide = (*(const uint16_t *)pc & 3u) == 3u;
    WRITE(mepc, pc + (is_wide ? 4u : 2u));
    has_faulted = true;
    return;
  }
  print("TRAP at pc=");
  print_hex(pc);
  print(" mcause=");
  print_hex(cause);
  print(" mtval=");
  print_hex(address);
  print(" [");
  print(check_context);
  print("]\n");
  exit_with(FAULT_EXIT_CODE);
}

__attribute__((used, noreturn)) static void start(void) {
  WRITE(mtvec, on_trap);
#if defined(__riscv_vector)
  __asm__ volatile("csrs mstatus, %0" : : "r"(WITH_VECTORS | WITH_FLOATS));
#endif
  for (volatile uint32_t *word = bss_begin; word != bss_end; word++) *word = 0;
  exit_with((uint32_t)main());
}

/* The linker script's entry point, and the first instructions of the memory. .data needs no copying. */
__attribute__((naked, section(".vectors"))) void reset(void);
void reset(void) {
  __asm__ volatile(
      "la sp, stack_top\n"
      "j start");
}
