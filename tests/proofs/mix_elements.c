/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: units of one element, swapped: words as mix_load.c and mix_bit.c prove them. */
#include "mix.h"
#include "spk_classes.c"

static finder second, other;

#include "mix_words.h"

static uint64_t first;

static void any_state(unsigned i) {
  known *k = &known_of[i];
  finder *f = finder_of[i];
  ANY(f->bit), ANY(f->word), ANY(f->next), ANY(f->base), ANY(k->at), ANY(k->left), ANY(k->base), ANY(k->next);
  __CPROVER_assume(k->base >= first && k->base <= k->end);
}

/* Where an element is in x, from where a word starts. */
static uint64_t offset(unsigned i) { return known_of[i].base - first; }

int main(void) {
  spk_live live;
  uint32_t n, n_first, left;
  ANY(first), ANY(n), ANY(n_first), ANY(left), ANY(live.n_units);
  __CPROVER_assume(first <= MOST && n >= 1u && n <= MOST && first + n <= MOST && n_first <= n);
  __CPROVER_assume(live.n_units >= 2u && live.n_units <= MOST);
  live.unit = 1;
  finder_of[0] = &second;
  finder_of[1] = &other;
  n_finders = 2;
  known_of[0].at = first;
  known_of[0].end = known_of[1].at = first + n_first;
  known_of[1].end = first + n;
  for (unsigned i = 0; i < 2u; i++) {
    known *k = &known_of[i];
    finder *f = finder_of[i];
    ANY(f->bit);
    __CPROVER_assume(f->bit < live.n_units);
    f->live = &live;
    f->least = f->next = (uint32_t)k->at;
    f->word = 0;
    k->next = k->at;
    k->base = first; /* no word yet: at the start of x */
    k->left = left;
    __CPROVER_assume(is_possible(k, 0));
  }
  swap_elements(&second, &other, malloc(n), left);
  REACHED(left > 0);
  return 0;
}
