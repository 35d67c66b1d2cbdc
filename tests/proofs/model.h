/* SPDX-License-Identifier: Apache-2.0 */
/* What the proofs see instead of loops and of the C library. loop_rules.py lets every source include it first.
 *
 * A loop that has an invariant is not unrolled. loop_rules.py puts SPK_LOOP in front of its condition. The first time,
 * that asserts the invariant, gives every variable that the loop changes any value at all, and assumes the invariant:
 * this state stands for every turn. The body runs once from there. The second time, the invariant must hold again and
 * the measure must be smaller, which shows that the loop ends; this way is then followed no further.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Reachable: the proof must also be able to come here. prove.py runs each harness once more to see that it does, and
 * asks for nothing else then. */
#ifdef REACH
static void reached(_Bool condition) { __CPROVER_assert(!condition, "reached"); }
#define __CPROVER_assert(condition, text) ((void)(condition))
#define REACHED(condition) reached(condition)
#else
#define REACHED(condition) ((void)(condition))
#endif

/* Tiles and tensors of at most so many bytes, where nothing else is said. */
#ifndef MOST
#define MOST UINT32_C(0x40000000)
#endif

uint64_t nondet_any(void);
#define ANY(x) ((x) = (__typeof__(x))nondet_any())

#define SPK_LOOP(again, before, change, invariant, measure)                                                    \
  (__CPROVER_assert(invariant, "the invariant holds"),                                                         \
   (again) ? (__CPROVER_assert((uint64_t)(measure) < (before), "the loop ends"), __CPROVER_assume(0), (void)0) \
           : ((again) = 1, change, __CPROVER_assume(invariant), (before) = (uint64_t)(measure), (void)0))

/* The functions of the C library: only whether they stay within their objects. What they write is data, which no proof
 * with this model looks at. */
#ifdef MODEL_STRING
static void *model_set(void *to, size_t n) {
  __CPROVER_assert(n == 0 || __CPROVER_w_ok(to, n), "memset writes inside");
  return to;
}
static void *model_copy(void *to, const void *from, size_t n) {
  __CPROVER_assert(n == 0 || __CPROVER_w_ok(to, n), "memcpy writes inside");
  __CPROVER_assert(n == 0 || __CPROVER_r_ok(from, n), "memcpy reads inside");
  __CPROVER_assert(n == 0 || !__CPROVER_same_object(to, from) || (const char *)to + n <= (const char *)from ||
                       (const char *)from + n <= (const char *)to,
                   "memcpy does not overlap");
  return to;
}
#define memset(to, byte, n) model_set(to, n)
#define memcpy(to, from, n) model_copy(to, from, n)
#endif

#endif
