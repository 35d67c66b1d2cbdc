/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: units of several elements, swapped: stretches as mix_stretch.c proves them. */
#include "mix.h"
#include "spk_classes.c"

static finder second, other;
static uint32_t first;
static unsigned asked[2]; /* how often is_left was */

static stretch next_stretch(finder *f) {
  known *k = f == &second ? &known_of[0] : &known_of[1];
  __CPROVER_assert(f == &second || f == &other, "it is one of the finders");
  __CPROVER_assert(k->left, "there is one to be found");
  stretch s;
  ANY(s.at), ANY(s.n);
  __CPROVER_assume(s.at < k->end && s.n >= 1u && s.n <= MOST);
  find(k, s.at, s.at + s.n);
  return s;
}

static void any_state(unsigned i) { ANY(known_of[i].at), ANY(known_of[i].left); }

/* What is left of a stretch, and those after it, are as many as are to be swapped. That both stay so is proved one by
 * one, from both. */
static bool is_left(const known *k, uint32_t at, uint32_t n, uint32_t left) {
  const unsigned i = k == &known_of[0] ? 0 : 1;
  if (asked[i]++ >= 2u && i != WHICH) return true;
  if (!is_possible(k, k->at) || k->at < first) return false;
  if (n == 0) return k->left == left;
  if (at < first || at > k->at || n != k->at - at) return false;
  return k->at < k->end ? n <= left && k->left == left - n : k->left == 0 && at <= k->end && left == k->end - at;
}

/* A lemma: so many elements of a stretch are looked for. */
static void within(const known *k, uint32_t at, uint32_t n) {
  const bool they_are = at >= first && at <= k->end && n <= k->end - at;
  __CPROVER_assert(they_are, "elements are swapped that are there");
  __CPROVER_assume(they_are);
}

int main(void) {
  spk_live live;
  uint32_t n, n_first, left;
  ANY(first), ANY(n), ANY(n_first), ANY(left), ANY(live.unit);
  __CPROVER_assume(first <= MOST && n >= 1u && n <= MOST && first + n <= MOST && n_first <= n);
  second.live = other.live = &live;
  second.least = first;
  other.least = first + n_first;
  known_of[0].at = first;
  known_of[0].end = known_of[1].at = first + n_first;
  known_of[1].end = first + n;
  known_of[0].left = known_of[1].left = left;
  __CPROVER_assume(is_possible(&known_of[0], 0) && is_possible(&known_of[1], 0));
  swap_units(&second, &other, malloc(n), left);
  REACHED(left > 0);
  return 0;
}
