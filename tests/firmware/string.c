/* SPDX-License-Identifier: Apache-2.0 */
/* include/string.h, and the names that compilers for Arm call for the same: byte by byte, since nothing here is timed.
 *
 * All loops go through volatile: an optimiser would otherwise recognise memcpy and make it call itself.
 */
#include <stdint.h>
#include <string.h>

void *memcpy(void *dst, const void *src, size_t n) {
  volatile uint8_t *to = dst;
  const uint8_t *from = src;
  while (n--) *to++ = *from++;
  return dst;
}

void *memset(void *dst, int byte, size_t n) {
  volatile uint8_t *to = dst;
  while (n--) *to++ = (uint8_t)byte;
  return dst;
}

int memcmp(const void *a, const void *b, size_t n) {
  const volatile uint8_t *p = a, *q = b;
  for (; n; n--, p++, q++) {
    const int difference = *p - *q;
    if (difference != 0) return difference;
  }
  return 0;
}

void *memchr(const void *s, int byte, size_t n) {
  const volatile uint8_t *p = s;
  for (; n; n--, p++) {
    if (*p == (uint8_t)byte) return (void *)(uintptr_t)p;
  }
  return NULL;
}

int strcmp(const char *a, const char *b) {
  const volatile uint8_t *p = (const uint8_t *)a, *q = (const uint8_t *)b;
  for (;; p++, q++) {
    const int c = *p, difference = c - *q;
    if (difference != 0 || c == 0) return difference;
  }
}

size_t strlen(const char *s) {
  const volatile char *p = s;
  size_t n = 0;
  while (p[n] != 0) n++;
  return n;
}

/* The Arm run-time ABI. The suffix is an alignment that the caller vouches for. */
#define COPY(suffix)                                                 \
  void __aeabi_memcpy##suffix(void *dst, const void *src, size_t n); \
  void __aeabi_memcpy##suffix(void *dst, const void *src, size_t n) { memcpy(dst, src, n); }
#define SET(suffix)                                           \
  void __aeabi_memset##suffix(void *dst, size_t n, int byte); \
  void __aeabi_memset##suffix(void *dst, size_t n, int byte) { memset(dst, byte, n); }
#define CLEAR(suffix)                               \
  void __aeabi_memclr##suffix(void *dst, size_t n); \
  void __aeabi_memclr##suffix(void *dst, size_t n) { memset(dst, 0, n); }

COPY()
COPY(4)
COPY(8)
SET()
SET(4)
SET(8)
CLEAR()
CLEAR(4)
CLEAR(8)
