/* SPDX-License-Identifier: Apache-2.0 */
#include "repair_transforms.h"

#include "spk_internal.h"

enum { ROWS = 1, COLUMNS = 2, CLASSES = 4, KINDS = 5 };

/* A number from least to most, of any; the same where it is one already. */
static uint32_t within(uint32_t value, uint32_t least, uint32_t most) {
  return value >= least && value <= most ? value : least + value % (most - least + 1);
}

/* The greatest divisor of n that is no greater. */
static uint32_t divisor(uint32_t value, uint32_t n) {
  while (n % value != 0) value--;
  return value;
}

static void add(transforms *t, uint32_t field) { t->fields[t->n_fields++] = field; }

transforms repair_transforms(unsigned flags, const uint32_t *fields, uint32_t n) {
  transforms t = {0};
  if (n < 2) return t;
  t.flags = flags & SPK_TRANSFORMED;
  if (flags & SPK_FLAG_LIVE) {
    const uint32_t present = within(*fields++, 1, ROWS | COLUMNS | CLASSES);
    uint32_t row = n;
    add(&t, present);
    if (present & ROWS) {
      row = divisor(within(*fields++, 1, n - 1), n);
      if (row == 1 && (present & COLUMNS)) row = n % 2 == 0 && n > 2 ? 2 : 1;
      if (row == 1 && (present & COLUMNS)) return repair_transforms(SPK_FLAG_PREDICTED & flags, fields, n);
      add(&t, row);
      t.n_bits[0] = n / row;
    }
    if (present & COLUMNS) {
      const uint32_t columns = divisor(within(*fields++, 2, row), row);
      add(&t, columns == 1 ? row : columns);
      t.n_bits[1] = columns == 1 ? row : columns;
    }
    if (present & CLASSES) {
      const uint32_t unit = within(*fields++, 1, n / 2), n_units = within(*fields++, 2, n / unit);
      add(&t, unit);
      add(&t, n_units);
      t.n_bits[2] = n_units;
    }
  }
  if (flags & SPK_FLAG_PREDICTED) {
    add(&t, fields[0] % KINDS);
    add(&t, within(fields[1], 1, n - 1));
    add(&t, within(fields[2], 1, n - 1));
  }
  return t;
}

uint32_t bitmaps_size(const transforms *t) {
  uint32_t size = 0;
  for (unsigned i = 0; i < BITMAPS; i++) size += spk_ceil_div(t->n_bits[i], 8);
  return (size + 3u) & ~UINT32_C(3);
}

void repair_bitmaps(const transforms *t, uint8_t *bitmaps) {
  for (unsigned i = 0; i < BITMAPS; i++) {
    const uint32_t n = t->n_bits[i];
    if (n % 8 != 0) bitmaps[n / 8] = (uint8_t)(bitmaps[n / 8] & ~(0xFFu >> n % 8));
    bitmaps += spk_ceil_div(n, 8);
  }
}
