/* SPDX-License-Identifier: Apache-2.0 */
/* memset and memcpy as a C library for this core has them, since decoders call them while they are counted: 16 bytes a
 * turn, by vectors where the decoders are Helium's and by words, which may be unaligned, where they are not. memcmp is
 * never counted and goes byte by byte.
 */
#include <stdint.h>
#include <string.h>

#include "spk_arch.h"

#if SPK_HELIUM
#include <arm_mve.h>

void *memset(void *dst, int byte, size_t n) {
  uint8_t *to = dst;
  const uint8x16_t bytes = vdupq_n_u8((uint8_t)byte);
  for (int32_t left = (int32_t)n; left > 0; left -= 16, to += 16) vstrbq_p_u8(to, bytes, vctp8q((uint32_t)left));
  return dst;
}

void *memcpy(void *dst, const void *src, size_t n) {
  uint8_t *to = dst;
  const uint8_t *from = src;
  for (int32_t left = (int32_t)n; left > 0; left -= 16, to += 16, from += 16) {
    const mve_pred16_t lanes = vctp8q((uint32_t)left);
    vstrbq_p_u8(to, vldrbq_z_u8(from, lanes), lanes);
  }
  return dst;
}

#else

/* A word anywhere; a vector of them would need alignment, and the compiler knows that. */
typedef struct __attribute__((packed, may_alias)) word {
  uint32_t value;
} word;

void *memset(void *dst, int byte, size_t n) {
  uint8_t *to = dst;
  const uint32_t value = (uint8_t)byte * 0x01010101u;
  for (; n >= 16; n -= 16, to += 16) {
    word *words = (word *)to;
    words[0].value = value;
    words[1].value = value;
    words[2].value = value;
    words[3].value = value;
  }
  while (n--) *to++ = (uint8_t)byte;
  return dst;
}

void *memcpy(void *dst, const void *src, size_t n) {
  uint8_t *to = dst;
  const uint8_t *from = src;
  for (; n >= 16; n -= 16, to += 16, from += 16) {
    const word *words = (const word *)from;
    const uint32_t a = words[0].value, b = words[1].value, c = words[2].value, d = words[3].value;
    word *copies = (word *)to;
    copies[0].value = a;
    copies[1].value = b;
    copies[2].value = c;
    copies[3].value = d;
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
