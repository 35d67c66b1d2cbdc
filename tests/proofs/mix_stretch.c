/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: the next stretch of elements of a class. */
#include "mix.h"
#include "spk_classes.c"

static finder f;

#include "mix_words.h"

static void any_state(unsigned i) {
  (void)i;
  ANY(f.bit), ANY(f.word), ANY(f.next), ANY(known_of[0].base), ANY(known_of[0].next);
  f.base = (uint32_t)known_of[0].base;
}

int main(void) {
  known *k = &known_of[0];
  spk_live live;
  live.unit = ELEMENTS;
  ANY(live.n_units), ANY(f.least), ANY(k->at), ANY(k->end), ANY(k->left);
  __CPROVER_assume(live.n_units >= 2u && live.n_units <= MOST);
  __CPROVER_assume(k->at >= f.least && k->at < k->end && k->end <= MOST && k->left >= 1u);
  f.live = &live;
  finder_of[0] = &f;
  any_state(0);
  __CPROVER_assume(is_word(0, f.word));
  const known before = *k;
  const stretch s = next_stretch(&f);
  __CPROVER_assert(s.n >= 1u && s.at >= before.at && s.at < k->end, "it begins among the elements that are left,");
  __CPROVER_assert((uint64_t)s.at + s.n == k->at, "and it is all of what was found");
  __CPROVER_assert(before.left - k->left == (k->at < k->end ? s.n : k->end - s.at), "which it has taken");
  REACHED(k->left > 0);
  REACHED(k->at > k->end);
  return 0;
}
