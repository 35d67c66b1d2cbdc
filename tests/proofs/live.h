/* SPDX-License-Identifier: Apache-2.0 */
/* Any live rows and columns of a tensor of n elements, as spk_read_transforms leaves them. */
#ifndef LIVE_H
#define LIVE_H

#include "spk_transforms.h"
#include "tile.h"

static spk_live any_live(uint32_t n) {
  spk_live live;
  ANY(live.row), ANY(live.n_columns), ANY(live.unit), ANY(live.n_units);
#ifdef ROW
  live.row = ROW;
  live.n_columns = COLUMNS;
#endif
  __CPROVER_assume(live.row >= 1u && live.row <= n && n % live.row == 0);
  live.rows = live.columns = live.classes = NULL;
  if (nondet_any() & 1u) live.rows = malloc(spk_ceil_div(n / live.row, 8));
  if (live.n_columns >= 2u) {
    __CPROVER_assume(live.n_columns >= 2u && live.n_columns <= n && live.row % live.n_columns == 0);
    live.columns = malloc(spk_ceil_div(live.n_columns, 8));
  } else {
    live.n_columns = 1;
  }
  if (!live.rows) __CPROVER_assume(live.row == n);
  __CPROVER_assume(live.unit >= 1u && live.unit <= n && live.n_units >= 2u && live.n_units <= n / live.unit);
  live.classes = malloc(spk_ceil_div(live.n_units, 8));
  return live;
}

#endif
