/* SPDX-License-Identifier: Apache-2.0 */
/* memset and memcpy as a C library has them for cores that load and store words at multiples of 4 alone: by words where
 * that is possible, else byte by byte; and by vectors where there are some. memcmp is never counted.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "spk_arch.h"

#if SPK_RVV
#include <riscv_vector.h>

void *memset(void *dst, int byte, size_t n) {
  uint8_t *to = dst;
  while (n) {
    const size_t vl = __riscv_vsetvl_e8m8(n);
    __riscv_vse8_v_u8m8(to, __riscv_vmv_v_x_u8m8((uint8_t)byte, vl), vl);
    to += vl;
    n -= vl;
  }
  return dst;
}

void *memcpy(void *dst, const void *src, size_t n) {
  uint8_t *to = dst;
  const uint8_t *from = src;
  while (n) {
    const size_t vl = __riscv_vsetvl_e8m8(n);
    __riscv_vse8_v_u8m8(to, __riscv_vle8_v_u8m8(from, vl), vl);
    to += vl;
    from += vl;
    n -= vl;
  }
  return dst;
}

#else

typedef uint32_t __attribute__((may_alias)) word;

static int is_aligned(const void *p) { return (uintptr_t)p % sizeof(word) == 0; }

void *memset(void *dst, int byte, size_t n) {
  uint8_t *to = dst;
  const uint32_t value = (uint8_t)byte * 0x01010101u;
  for (; n && !is_aligned(to); n--) *to++ = (uint8_t)byte;
  for (; n >= 16; n -= 16, to += 16) {
    word *words = (word *)(void *)to;
    words[0] = value;
    words[1] = value;
    words[2] = value;
    words[3] = value;
  }
  while (n--) *to++ = (uint8_t)byte;
  return dst;
}

void *memcpy(void *dst, const void *src, size_t n) {
  uint8_t *to = dst;
  const uint8_t *from = src;
  if (((uintptr_t)to ^ (uintptr_t)from) % sizeof(word) == 0) {
    for (; n && !is_aligned(to); n--) *to++ = *from++;
    for (; n >= 16; n -= 16, to += 16, from += 16) {
      const word *words = (const word *)(const void *)from;
      const uint32_t a = words[0], b = words[1], c = words[2], d = words[3];
      word *copies = (word *)(void *)to;
      copies[0] = a;
      copies[1] = b;
      copies[2] = c;
      copies[3] = d;
    }
  }
  while (n--) *to++ = *from++;
  return dst;
}

#endif

int memcmp(const void *a, const void *b, size_t n) {
  const uint8_t *p = a, *q = b;
  for (; n; n--, p++, q++) {
    if (*p != *q) return *p - *q;
  }
  return 0;
}

#if defined(__arm__)
/* The Arm run-time ABI's names, which compilers call for the same. */
#define ALIASES(suffix)                                                                      \
  void __aeabi_memcpy##suffix(void *dst, const void *src, size_t n);                         \
  void __aeabi_memset##suffix(void *dst, size_t n, int byte);                                \
  void __aeabi_memclr##suffix(void *dst, size_t n);                                          \
  void __aeabi_memcpy##suffix(void *dst, const void *src, size_t n) { memcpy(dst, src, n); } \
  void __aeabi_memset##suffix(void *dst, size_t n, int byte) { memset(dst, byte, n); }       \
  void __aeabi_memclr##suffix(void *dst, size_t n) { memset(dst, 0, n); }
ALIASES()
ALIASES(4)
ALIASES(8)
#endif
