/* SPDX-License-Identifier: Apache-2.0 */
/* A view as spk_open leaves it, of a blob of any bytes: open.c proves that it is so. */
#ifndef VIEW_H
#define VIEW_H

#include "model.h"
#include "spk_internal.h"

/* What does not say where the bytes are. */
static spk_view any_shape(void) {
  spk_view v;
  ANY(v.payload_size), ANY(v.n_elements), ANY(v.tile_size), ANY(v.n_tiles), ANY(v.format), ANY(v.n_dims), ANY(v.flags);
  __CPROVER_assume(v.payload_size <= MOST && v.payload_size % 4u == 0);
  __CPROVER_assume(v.tile_size >= 1u && v.n_elements <= MOST && v.n_elements <= SPK_MAX_ELEMENTS);
  __CPROVER_assume(v.n_tiles == spk_ceil_div(v.n_elements, v.tile_size));
  __CPROVER_assume(v.n_tiles <= 1u || v.payload_size / 4u >= v.n_tiles);
  __CPROVER_assume(v.format <= 31u && v.n_dims <= SPK_MAX_DIMS);
  return v;
}

static spk_view any_view(void) {
  spk_view v = any_shape();
  uint32_t before;
  ANY(before);
  __CPROVER_assume(before >= SPK_HEADER_SIZE && before <= MOST && before % 4u == 0);
#ifdef READER /* only the header and its bitmaps are in memory, as reader_open.c proves */
  uint8_t *blob = malloc(before);
#else
  uint8_t *blob = malloc((size_t)before + v.payload_size);
#endif
  v.blob = blob;
  v.payload = blob + before;
  return v;
}

#endif
