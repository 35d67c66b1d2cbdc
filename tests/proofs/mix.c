/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: two classes, mixed again. Counting and swapping have proofs of their own: here, both finders start where
 * they have to, and each class has as many elements to find as are swapped. */
#include "mix.h"

#include "spk_classes.c"

static const spk_live *all_live;
static int8_t *elements;
static uint32_t first, n, n_second, to_swap;

uint32_t spk_second_class(const spk_live *live, uint32_t from, uint32_t some) {
  __CPROVER_assert(live == all_live && from == first && some == n - n_second, "those are counted that came first");
  ANY(to_swap);
  /* What is left of the second class is among the last n_second elements. */
  __CPROVER_assume(to_swap <= some && to_swap <= n_second);
  return to_swap;
}

static void check(const finder *second, const finder *other, const int8_t *x, uint32_t left) {
  const finder *const both[2] = {second, other};
  /* Of the last n_second elements, all but n_second - to_swap are of the first class. */
  __CPROVER_assert(x == elements && left == to_swap && left == n_second - (n_second - to_swap), "they are as many");
  __CPROVER_assert(second->least == first && other->least == first + (n - n_second), "each starts after the other");
  __CPROVER_assert(second->flip == 0 && other->flip == ~UINT32_C(0), "they look for different classes");
  for (int i = 0; i < 2; i++) {
    const finder *const f = both[i];
    const uint32_t unit = all_live->unit;
    __CPROVER_assert(f->live == all_live && f->word == 0 && f->bit < all_live->n_units, "a bit of the bitmap is next");
    __CPROVER_assert(f->next <= f->least && f->least - f->next < unit, "it is that of the first unit");
  }
}
static void swap_elements(finder *second, finder *other, int8_t *x, uint32_t left) {
  __CPROVER_assert(all_live->unit == 1u, "a unit is an element");
  check(second, other, x, left);
}
static void swap_units(finder *second, finder *other, int8_t *x, uint32_t left) { check(second, other, x, left); }

/* CBMC looks for what a pointer calls among the functions whose addresses are taken. */
void (*const called[2])(finder *, finder *, int8_t *, uint32_t) = {swap_elements, swap_units};

int main(void) {
  uint32_t n_elements;
  ANY(n_elements), ANY(first), ANY(n), ANY(n_second);
  __CPROVER_assume(n_elements >= 2u && n_elements <= MOST);
  __CPROVER_assume(first < n_elements && n >= 1u && n <= n_elements - first && n_second <= n);
  const spk_live live = any_live(n_elements);
  all_live = &live;
  elements = malloc(n);
  spk_mix_classes(&live, elements, first, n, n_second);
  REACHED(to_swap > 1u && live.unit > 1u);
  return 0;
}
