/* SPDX-License-Identifier: Apache-2.0 */
/* Live rows and columns: how many elements of a tile are live, and where they belong. docs/format.md, section 2.1. */
#include "spk_transforms.h"

#ifndef SPK_WITHOUT_TRANSFORMS

/* Bits set among the first n of a bitmap. */
static SPK_NOINLINE uint32_t count_first(const uint8_t *bits, uint32_t n) {
  uint32_t count = 0;
  SPK_NO_UNROLL
  for (; n >= 32u; n -= 32u, bits += 4) {
    uint32_t word = spk_load_u32(bits);
    word -= word >> 1 & 0x55555555u;
    word = (word & 0x33333333u) + (word >> 2 & 0x33333333u);
    count += ((word + (word >> 4)) & 0x0F0F0F0Fu) * 0x01010101u >> 24;
  }
  SPK_NO_UNROLL
  for (; n >= 8u; n -= 8u) count += spk_count_bits(*bits++);
  return n ? count + spk_count_bits((uint32_t)*bits >> (8u - n)) : count;
}

static bool is_set(const uint8_t *bits, uint32_t i) { return ((uint32_t)bits[i / 8u] >> (7u - i % 8u) & 1u) != 0; }

/* Elements before number i whose unit has its bit set; the n_bits bits repeat. */
static SPK_NOINLINE uint32_t count_before(const uint8_t *bits, uint32_t n_bits, uint32_t unit, uint32_t i) {
  const uint32_t units = i / unit, cycles = units / n_bits, last = units % n_bits, rest = i % unit;
  uint32_t count = count_first(bits, last);
  if (cycles != 0) count += cycles * count_first(bits, n_bits);
  count *= unit;
  return rest != 0 && is_set(bits, last) ? count + rest : count;
}

/* Live elements before element i of a live row. */
static uint32_t before_in_row(const spk_live *live, uint32_t i) {
  return live->columns ? count_before(live->columns, live->n_columns, 1, i) : i;
}

/* Bits set among those from number begin on and before number end. */
static uint32_t count_between(const uint8_t *bits, uint32_t begin, uint32_t end) {
  bits += begin / 8u;
  return count_first(bits, end - (begin & ~UINT32_C(7))) - count_first(bits, begin % 8u);
}

/* Elements whose unit has its bit set, of those from number begin on and before number end. Within a cycle of the
 * bits, this looks at no others: many short stretches take no longer than all of them at once. */
static SPK_NOINLINE uint32_t count_stretch(const uint8_t *bits, uint32_t n_bits, uint32_t unit, uint32_t begin,
                                           uint32_t end) {
  const uint32_t first = begin / unit, last = end / unit, bit = first % n_bits;
  if (last - first >= n_bits - bit)
    return count_before(bits, n_bits, unit, end) - count_before(bits, n_bits, unit, begin);
  uint32_t count = count_between(bits, bit, bit + (last - first)) * unit;
  if (end % unit != 0 && is_set(bits, bit + (last - first))) count += end % unit;
  return begin % unit != 0 && is_set(bits, bit) ? count - begin % unit : count;
}

/* Live elements of row number `row` before element i of it. */
static uint32_t before_in(const spk_live *live, uint32_t row, uint32_t i) {
  return i != 0 && is_set(live->rows, row) ? before_in_row(live, i) : 0;
}

uint32_t spk_live_between(const spk_live *live, uint32_t begin, uint32_t end) {
  const uint32_t first = begin / live->row, last = end / live->row, i = begin % live->row, n = end - begin;
  if (live->rows && first != last) {
    const uint32_t count = count_between(live->rows, first, last) * before_in_row(live, live->row);
    return count + before_in(live, last, end % live->row) - before_in(live, first, i);
  }
  if (live->rows && n != 0 && !is_set(live->rows, first)) return 0;
  return live->columns ? count_stretch(live->columns, live->n_columns, 1, i, i + n) : n;
}

/* One by one: n elements of a row from column c on. Returns where the values go on. */
static SPK_NOINLINE const int8_t *expand_few(int8_t *dst, uint32_t n, const uint8_t *columns, uint32_t c,
                                             const int8_t *values) {
  SPK_NO_UNROLL
  for (; n; n--, c++) *dst++ = (int8_t)(is_set(columns, c) ? *values++ : 0);
  return values;
}

/* n elements of a live row from element i of it on; what is left of the live elements of the tile ends at end. Returns
 * where they go on. */
static const int8_t *expand_row(const spk_live *live, int8_t *dst, uint32_t i, uint32_t n, const int8_t *values,
                                const int8_t *end) {
  const uint8_t *const columns = live->columns;
  uint32_t c = i % live->n_columns;
  while (n) {
    const uint32_t in_cycle = spk_min_u32(n, live->n_columns - c);
    const uint32_t head = spk_min_u32((8u - c % 8u) % 8u, in_cycle), whole = (in_cycle - head) & ~7u;
    values = expand_few(dst, head, columns, c, values);
    if (whole) {
      values = spk_expand_bitmap(dst + head, whole, columns + (c + head) / 8u, values, (size_t)(end - values));
      if (!values) return end; /* never: they were counted */
    }
    const uint32_t done = head + whole;
    values = expand_few(dst + done, in_cycle - done, columns, c + done, values);
    dst += in_cycle;
    n -= in_cycle;
    c = 0;
  }
  return values;
}

/* memmove for dst <= src, which not every small C library has: what lies between them is copied at once. */
static void move_down(int8_t *dst, const int8_t *src, uint32_t n) {
  const uint32_t distance = (uint32_t)(src - dst);
  while (n && distance) {
    const uint32_t some = spk_min_u32(n, distance);
    memcpy(dst, src, some);
    dst += some;
    src += some;
    n -= some;
  }
}

/* Few columns, again and again, as a bitmap of more: the cycles of a row would be short. */
static void repeat_columns(spk_live *live, uint8_t *longer, uint32_t size) {
  const uint32_t n_bytes = live->n_columns / 8u;
  if (!live->columns || live->n_columns % 8u != 0 || 2u * n_bytes > size) return;
  const uint32_t n_cycles = size / n_bytes;
  SPK_NO_UNROLL
  for (uint32_t i = 0; i < n_cycles * n_bytes; i++) longer[i] = live->columns[i % n_bytes];
  live->columns = longer;
  live->n_columns *= n_cycles;
}

void spk_live_expand(const spk_live *whole, int8_t *dst, uint32_t begin, uint32_t n, uint32_t n_live) {
  uint8_t longer[64];
  spk_live copy = *whole, *const live = &copy;
  repeat_columns(live, longer, sizeof longer);
  const int8_t *const end = dst + n, *values = end - n_live;
  uint32_t row = begin / live->row, i = begin % live->row;
  while (n) {
    const uint32_t in_row = spk_min_u32(n, live->row - i);
    if (live->rows && !is_set(live->rows, row)) {
      memset(dst, 0, in_row);
    } else if (live->columns) {
      values = expand_row(live, dst, i, in_row, values, end);
    } else {
      move_down(dst, values, in_row);
      values += in_row;
    }
    dst += in_row;
    n -= in_row;
    row++;
    i = 0;
  }
}

uint32_t spk_second_class(const spk_live *live, uint32_t first, uint32_t n) {
  return count_stretch(live->classes, live->n_units, live->unit, first, first + n);
}

#endif
