/* SPDX-License-Identifier: Apache-2.0 */
/* Two classes of live elements, mixed again by swaps: no element takes more than one. docs/format.md, section 2.1. */
#include "spk_transforms.h"

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
#if defined(__GNUC__)
  return (uint32_t)__builtin_clz(word);
#else
  uint32_t n = 0;
  for (; !(word & 0x80000000u); word <<= 1) n++;
  return n;
#endif
}

static finder find_from(const spk_live *live, uint32_t element, uint32_t flip) {
  const uint32_t unit = element / live->unit;
  const finder f = {live, unit % live->n_units, flip, 0, 0, unit * live->unit, element};
  return f;
}

/* The next bits of the bitmap: those of at most four bytes. */
static void load(finder *f) {
  const uint32_t n_bits = f->live->n_units, skipped = f->bit % 8u;
  const uint8_t *bytes = f->live->classes + f->bit / 8u;
  const uint32_t n = spk_min_u32(32u - skipped, n_bits - f->bit);
  uint32_t word = 0;
  for (uint32_t i = 0; 8u * i < skipped + n; i++) word |= (uint32_t)*bytes++ << (24u - 8u * i);
  f->word = ((word << skipped) ^ f->flip) & ~UINT32_C(0) << (32u - n);
  f->base = f->next;
  f->next += n * f->live->unit;
  f->bit = f->bit + n == n_bits ? 0 : f->bit + n;
}

/* Whoever asks knows that there is one. */
static stretch next_stretch(finder *f) {
  while (f->word == 0) load(f);
  const uint32_t i = leading_zeros(f->word), unit = f->live->unit, begin = f->base + i * unit;
  f->word &= ~(0x80000000u >> i);
  const uint32_t at = begin < f->least ? f->least : begin;
  const stretch s = {at, begin + unit - at};
  return s;
}

void spk_mix_classes(const spk_live *live, int8_t *x, uint32_t first, uint32_t n, uint32_t n_second) {
  const uint32_t n_first = n - n_second;
  /* So many elements of the second class belong among the first n_first, and so many of the first after them. */
  uint32_t left = spk_second_class(live, first, n_first);
  finder second = find_from(live, first, 0), other = find_from(live, first + n_first, ~UINT32_C(0));
  stretch a = {0, 0}, b = {0, 0};
  while (left) {
    if (a.n == 0) a = next_stretch(&second);
    if (b.n == 0) b = next_stretch(&other);
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
