/* SPDX-License-Identifier: Apache-2.0 */
/* The six functions of <string.h> that the runtime uses. Debian's arm-none-eabi-gcc comes without a C library. */
#ifndef STRING_H
#define STRING_H

#include <stddef.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memset(void *dst, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *data, int byte, size_t n);
int strcmp(const char *a, const char *b);
size_t strlen(const char *text);

#endif
