/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: the words of a bitmap of two classes, as mix_load.c and mix_bit.c prove them, for what calls both
 * functions. Included after spk_classes.c. */
#ifndef MIX_WORDS_H
#define MIX_WORDS_H

#include "mix.h"

static finder *finder_of[2];
static unsigned turn, n_finders = 1; /* the finders take bits by turns */

/* What is known of a word: where no bit is set, none of its units is of the class. */
static bool is_word(unsigned i, uint32_t word) {
  const known *k = &known_of[i];
  const finder *f = finder_of[i];
  return f->bit < f->live->n_units && f->next == (uint32_t)k->next && k->base <= k->end && k->base <= k->next &&
         k->next <= k->end + 32 * (uint64_t)f->live->unit && is_possible(k, word ? k->at : k->next);
}

static void load(finder *f) {
  const unsigned i = f == finder_of[0] ? 0 : 1;
  known *k = &known_of[i];
  __CPROVER_assert(f == finder_of[i] && f->bit < f->live->n_units, "the next bit is one of the bitmap");
  __CPROVER_assert(k->left && k->next < k->end, "there is one to be found, and its word comes later");
  uint32_t n;
  ANY(n), ANY(f->bit), ANY(f->word);
  __CPROVER_assume(n >= 1u && n <= 32u);
  k->base = k->next;
  k->next += (uint64_t)n * f->live->unit;
  f->base = f->next;
  f->next += n * f->live->unit;
  __CPROVER_assume(is_word(i, f->word));
}

static uint32_t take_bit(uint32_t *word) {
  const unsigned i = turn;
  turn = (turn + 1u) % n_finders;
  known *k = &known_of[i];
  __CPROVER_assert(*word != 0 && k->left, "a bit is set, and one is to be found");
  uint32_t n;
  ANY(n), ANY(*word);
  const uint64_t unit = finder_of[i]->live->unit, begin = k->base + n * unit, end = begin + unit;
  __CPROVER_assume(n < 32u && end <= k->next && end > k->at);
  /* Others have ended where its unit begins, or the search began within its unit. */
  __CPROVER_assume(begin >= k->at || k->at == finder_of[i]->least);
  find(k, begin < k->at ? k->at : begin, end);
  __CPROVER_assume(is_word(i, *word));
  return n;
}

#endif
