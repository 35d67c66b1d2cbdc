/* SPDX-License-Identifier: Apache-2.0 */
/* As much of the C library as the runtime and its tests use, for compilers that come without one. */
#ifndef STRING_H
#define STRING_H

#include <stddef.h>

void *memcpy(void *dst, const void *src, size_t n);
void *memset(void *dst, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int byte, size_t n);
int strcmp(const char *a, const char *b);
size_t strlen(const char *s);

#endif
