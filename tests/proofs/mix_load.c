/* SPDX-License-Identifier: Apache-2.0 */
/* Transforms: the next bits of the bitmap of two classes, wherever they begin: as many as a finder takes for units. */
#include "mix.h"
#include "spk_classes.c"

static uint32_t bit(const uint8_t *bits, uint32_t i) { return (uint32_t)bits[i / 8u] >> (7u - i % 8u) & 1u; }

int main(void) {
  spk_live live;
  finder f;
  uint32_t i;
  ANY(live.n_units), ANY(f.bit), ANY(f.next), ANY(i);
  live.unit = ELEMENTS;
  __CPROVER_assume(live.n_units >= 2u && live.n_units <= MOST && f.bit < live.n_units && i < 32u);
  live.classes = malloc(spk_ceil_div(live.n_units, 8));
  f.live = &live;
  f.flip = nondet_any() & 1u ? 0 : ~UINT32_C(0);
  const finder before = f;
  load(&f);
  const uint32_t n = f.bit ? f.bit - before.bit : live.n_units - before.bit;
  __CPROVER_assert(f.bit < live.n_units, "the next bit is one of the bitmap");
  __CPROVER_assert(n >= 1u && n <= 32u, "there are bits, and they fit into the word");
  __CPROVER_assert(f.base == before.next && f.next == before.next + n * live.unit, "the next word has the next units");
  const uint32_t wanted = i < n ? bit(live.classes, before.bit + i) ^ (f.flip & 1u) : 0;
  __CPROVER_assert((f.word >> (31u - i) & 1u) == wanted, "a bit is set for a unit of the class");
  REACHED(n == 32u);
  REACHED(n == 1u && before.bit % 8u != 0);
  return 0;
}
