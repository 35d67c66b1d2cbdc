/* SPDX-License-Identifier: Apache-2.0 */
/* The test framework: a macro and two counters. The host implements it with stdio, the firmware with semihosting. */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>

extern unsigned n_checks, n_failures;

/* What is being checked, such as a vector's name: printed with a failure. */
extern const char *check_context;

/* Counts; reports a failure with its place and goes on. Returns whether the condition holds. */
bool check(bool holds, const char *condition, const char *file, int line);

#define CHECK(condition) check((condition), #condition, __FILE__, __LINE__)

#endif
