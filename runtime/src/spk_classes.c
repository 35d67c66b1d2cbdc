/* SPDX-License-Identifier: Apache-2.0 */
/* Two classes of live elements, mixed again by swaps: no element takes more than one. docs/format.md, section 2.1. */
#include "spk_transforms.h"

#ifndef SPK_WITHOUT_TRANSFORMS

/* Finds units of one class. */
typedef struct finder {
  const spk_live *live;
  uint32_t bit;   /* of the bitmap: where the next word starts */
  uint32_t flip;  /* 0 for units of the second class, ~0 for those of the first */
  uint32_t word;  /* what is left of a word, the unit number `base` in the most significant bit */
  uint32_t base;  /* live element that the unit of the most significant bit starts at */
  uint32_t next;  /* live element that the next word starts at */
  uint32_t least; /* live element before which nothing is searched */
} finder;

/* A stretch of live elements of one class. */
typedef struct stretch {
  uint32_t at, n;
} stretch;

static uint32_t leading_zeros(uint32_t word) {
  uint32_t n = 0;
#if defined(__GNUC__)
  if (sizeof(unsigned) >= sizeof word) return (uint32_t)__builtin_clz((unsigned)word);
#endif
  for (; !(word & 0x80000000u); word <<= 1) n++;
  return n;
}

static finder find_from(const spk_live *live, uint32_t element, uint32_t flip) {
  const uint32_t unit = element / live->unit;
  const finder f = {live, unit % live->n_units, flip, 0, 0, unit * live->unit, element};
  return f;
}

/* The next bits of the bitmap: those of at most four bytes. */
static SPK_NOINLINE void load(finder *f) {
  const uint32_t n_bits = f->live->n_units, begin = f->bit, left = n_bits - begin;
  const uint8_t *bytes = f->live->classes + begin / 8u;
  uint32_t word = 0, n = 32;
  if (begin % 8u == 0 && left >= 32u) {
    word = spk_load_u32_be(bytes) ^ f->flip;
  } else {
    const uint32_t skipped = begin % 8u;
    n = spk_min_u32(32u - skipped, left);
    SPK_NO_UNROLL
    for (uint32_t i = 0; 8u * i < skipped + n; i++) word |= (uint32_t)*bytes++ << (24u - 8u * i);
    word = ((word << skipped) ^ f->flip) & ~UINT32_C(0) << (32u - n);
  }
  f->word = word;
  f->base = f->next;
  f->next += n * f->live->unit;
  f->bit = n == left ? 0 : begin + n;
}

/* The next unit: how many bits before it, of a word that has one. */
SPK_INLINE uint32_t take_bit(uint32_t *word) {
  const uint32_t i = leading_zeros(*word);
  *word &= ~(0x80000000u >> i);
  return i;
}

/* Whoever asks knows that there is one. */
static stretch next_stretch(finder *f) {
  while (f->word == 0) load(f);
  const uint32_t unit = f->live->unit, begin = f->base + take_bit(&f->word) * unit;
  const uint32_t at = begin < f->least ? f->least : begin;
  const stretch s = {at, begin + unit - at};
  return s;
}

/* Units of one element, which are many. */
static void swap_elements(finder *second, finder *other, int8_t *x, uint32_t left) {
  uint32_t a = 0, b = 0; /* words */
  int8_t *at_a = x, *at_b = x;
  for (; left; left--) {
    while (a == 0) {
      load(second);
      a = second->word;
      at_a = x + (second->base - second->least);
    }
    while (b == 0) {
      load(other);
      b = other->word;
      at_b = x + (other->base - second->least);
    }
    int8_t *const p = at_a + take_bit(&a), *const q = at_b + take_bit(&b);
    const int8_t moved = *p;
    *p = *q;
    *q = moved;
  }
}

/* Units of several elements: stretches of them. */
static void swap_units(finder *second, finder *other, int8_t *x, uint32_t left) {
  const uint32_t first = second->least;
  stretch a = {0, 0}, b = {0, 0};
  while (left) {
    if (a.n == 0) a = next_stretch(second);
    if (b.n == 0) b = next_stretch(other);
    const uint32_t count = spk_min_u32(left, spk_min_u32(a.n, b.n));
    int8_t *p = x + (a.at - first), *q = x + (b.at - first);
    SPK_NO_UNROLL
    for (uint32_t i = 0; i < count; i++) {
      const int8_t moved = p[i];
      p[i] = q[i];
      q[i] = moved;
    }
    a.at += count;
    a.n -= count;
    b.at += count;
    b.n -= count;
    left -= count;
  }
}

void spk_mix_classes(const spk_live *live, int8_t *x, uint32_t first, uint32_t n, uint32_t n_second) {
  const uint32_t n_first = n - n_second;
  /* So many elements of the second class belong among the first n_first, and so many of the first after them. */
  const uint32_t left = spk_second_class(live, first, n_first);
  finder second = find_from(live, first, 0), other = find_from(live, first + n_first, ~UINT32_C(0));
  (live->unit == 1u ? swap_elements : swap_units)(&second, &other, x, left);
}

#endif
