/* SPDX-License-Identifier: Apache-2.0 */
// The vector table of the firmware, and what must be done before newlib's own start: the floating-point unit and Helium
// are off after a reset, and newlib's start uses them.

#include <cstdint>

extern "C" {
extern std::uint32_t stack_top[];  // firmware.ld
[[noreturn]] void _start();        // newlib's
[[noreturn]] void reset();

[[noreturn]] void reset() {
  *reinterpret_cast<volatile std::uint32_t *>(0xE000ED88u) |= 0xFu << 20;  // CPACR: coprocessors 10 and 11
  __asm__ volatile("dsb\n isb" ::: "memory");
  _start();
}
}

__attribute__((used, section(".vectors"))) static const struct {
  std::uint32_t *stack;
  void (*reset)();
} vector_table = {stack_top, reset};
