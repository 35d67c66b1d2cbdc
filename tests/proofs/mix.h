/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: what the proofs of mixing know of the elements of either class. Elements are numbered among the live ones
 * of the tensor. Which are of the class is not known, but how many are: that is enough to tell where the next can be.
 */
#ifndef MIX_H
#define MIX_H

#include "live.h"

typedef struct known {
  uint32_t at;   /* all before it are found */
  uint32_t end;  /* none are looked for from here on */
  uint32_t left; /* so many of the class are between at and end */
  uint64_t base; /* where the current word of the bitmap starts, */
  uint64_t next; /* and where the next one starts */
} known;
static known known_of[2];

/* What loop rules use, and some harness has. */
static bool is_word(unsigned i, uint32_t word);
static bool is_left(const known *k, uint32_t at, uint32_t n, uint32_t left);
static void within(const known *k, uint32_t at, uint32_t n);
static void any_state(unsigned i);
static uint64_t offset(unsigned i);

/* Whether that can be, if none of the class is between at and `none`. */
static bool is_possible(const known *k, uint64_t none) {
  const uint64_t from = none < k->at ? k->at : none;
  return k->left == 0 || (from < k->end && k->left <= k->end - from);
}

/* The next stretch of the class is from `from` to `to`, of which those before end were still to be found. */
static void find(known *k, uint32_t from, uint32_t to) {
  __CPROVER_assume(from >= k->at && from < to && is_possible(k, from));
  const uint32_t n = to < k->end ? to - from : k->end - from;
  __CPROVER_assume(to < k->end ? n <= k->left : n == k->left);
  k->at = to;
  k->left -= n;
  __CPROVER_assume(is_possible(k, to));
}

#endif
