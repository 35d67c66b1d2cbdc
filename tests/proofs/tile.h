/* SPDX-License-Identifier: Apache-2.0 */
/* A tile of any bytes: `size` of them and n elements, in memory of exactly that size. */
#ifndef TILE_H
#define TILE_H

#include "model.h"
#include "spk_internal.h"

static spk_tile any_tile(void) {
  spk_tile tile;
  ANY(tile.size);
  ANY(tile.n);
#ifdef SIZE
  tile.size = SIZE;
#endif
#ifdef N
  tile.n = N;
#endif
  __CPROVER_assume(tile.size <= MOST && tile.size % 4u == 0 && tile.n >= 1u && tile.n <= MOST);
  tile.data = malloc(tile.size);
  return tile;
}

#define DECODE_OR_VALIDATE(name)                \
  int main(void) {                              \
    const spk_tile tile = any_tile();           \
    spk_status status;                          \
    if (DECODES) {                              \
      int8_t *dst = malloc(tile.n);             \
      status = spk_##name##_decode(&tile, dst); \
    } else {                                    \
      status = spk_##name##_validate(&tile);    \
    }                                           \
    REACHED(status == SPK_OK);                  \
    return 0;                                   \
  }

#ifndef DECODES
#define DECODES 1
#endif

#endif
