/* SPDX-License-Identifier: Apache-2.0 */
/* Reset and faults on Xtensa, after vectors.S: faults that are expected are noted, any other ends the program. */
#include "startup.h"

#include "check.h"
#include "semihosting.h"

#define READ(name, to) __asm__ volatile("rsr." #name " %0" : "=r"(to))
#define WRITE(name, from) __asm__ volatile("wsr." #name " %0" : : "r"(from))

extern uint32_t bss_begin[], bss_end[]; /* sections.ld */

volatile bool is_probing, has_faulted;

void on_fault(void); /* vectors.S calls it, and returns to what was interrupted */
void on_fault(void) {
  uint32_t cause, pc, address;
  READ(exccause, cause);
  READ(epc1, pc);
  READ(excvaddr, address);
  if (is_probing) {
    const bool is_narrow = (*(const uint8_t *)pc & 8u) != 0;
    WRITE(epc1, pc + (is_narrow ? 2u : 3u));
    has_faulted = true;
    return;
  }
  print("FAULT at pc=");
  print_hex(pc);
  print(" EXCCAUSE=");
  print_hex(cause);
  print(" EXCVADDR=");
  print_hex(address);
  print(" [");
  print(check_context);
  print("]\n");
  exit_with(FAULT_EXIT_CODE);
}

__attribute__((noreturn)) void start(void); /* vectors.S jumps here. .data needs no copying. */
__attribute__((noreturn)) void start(void) {
  for (volatile uint32_t *word = bss_begin; word != bss_end; word++) *word = 0;
  exit_with((uint32_t)main());
}
