/* SPDX-License-Identifier: Apache-2.0 */
/* Plain loops. A compiler may replace such a loop by a call of memcpy or memset, which here would call itself: the
 * Makefile compiles this file with a flag that forbids that.
 */
#include <string.h>

typedef unsigned char byte_t;

void *memcpy(void *restrict dst, const void *restrict src, size_t n) {
  byte_t *to = dst;
  const byte_t *from = src;
  for (size_t i = 0; i < n; i++) to[i] = from[i];
  return dst;
}

void *memset(void *dst, int byte, size_t n) {
  byte_t *to = dst;
  for (size_t i = 0; i < n; i++) to[i] = (byte_t)byte;
  return dst;
}

int memcmp(const void *a, const void *b, size_t n) {
  const byte_t *left = a, *right = b;
  for (size_t i = 0; i < n; i++) {
    if (left[i] != right[i]) return left[i] < right[i] ? -1 : 1;
  }
  return 0;
}

void *memchr(const void *data, int byte, size_t n) {
  const byte_t *bytes = data;
  for (size_t i = 0; i < n; i++) {
    if (bytes[i] == (byte_t)byte) return (void *)&bytes[i];
  }
  return NULL;
}

int strcmp(const char *a, const char *b) {
  while (*a != '\0' && *a == *b) a++, b++;
  return (byte_t)*a - (byte_t)*b;
}

size_t strlen(const char *text) {
  size_t n = 0;
  while (text[n] != '\0') n++;
  return n;
}
