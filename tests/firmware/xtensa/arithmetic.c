/* SPDX-License-Identifier: Apache-2.0 */
/* What Debian's libgcc for the LX106 leaves out, since an ESP8266 has it in ROM: division, products of 64 bits. */
#include <stdint.h>

uint32_t __udivsi3(uint32_t dividend, uint32_t divisor);
uint32_t __umodsi3(uint32_t dividend, uint32_t divisor);
uint64_t __umulsidi3(uint32_t a, uint32_t b);
uint64_t __muldi3(uint64_t a, uint64_t b);

typedef struct {
  uint32_t quotient, remainder;
} division;

static division divide(uint32_t dividend, uint32_t divisor) {
  if (divisor == 0) __asm__ volatile("ill"); /* a fault */
  division d = {0, 0};
  for (int i = 31; i >= 0; i--) {
    const uint32_t carry = d.remainder >> 31;
    d.remainder = d.remainder << 1 | (dividend >> i & 1);
    d.quotient <<= 1;
    if (carry == 0 && d.remainder < divisor) continue;
    d.remainder -= divisor;
    d.quotient |= 1;
  }
  return d;
}

uint32_t __udivsi3(uint32_t dividend, uint32_t divisor) { return divide(dividend, divisor).quotient; }

uint32_t __umodsi3(uint32_t dividend, uint32_t divisor) { return divide(dividend, divisor).remainder; }

uint64_t __umulsidi3(uint32_t a, uint32_t b) {
  const uint32_t a0 = a & 0xFFFF, a1 = a >> 16, b0 = b & 0xFFFF, b1 = b >> 16;
  const uint32_t low = a0 * b0, middle = a1 * b0 + (low >> 16), other = a0 * b1 + (middle & 0xFFFF);
  const uint32_t high = a1 * b1 + (middle >> 16) + (other >> 16);
  return (uint64_t)high << 32 | (other << 16 | (low & 0xFFFF));
}

uint64_t __muldi3(uint64_t a, uint64_t b) {
  const uint32_t a0 = (uint32_t)a, a1 = (uint32_t)(a >> 32), b0 = (uint32_t)b, b1 = (uint32_t)(b >> 32);
  return __umulsidi3(a0, b0) + ((uint64_t)(a0 * b1 + a1 * b0) << 32);
}
