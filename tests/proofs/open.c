/* SPDX-License-Identifier: Apache-2.0 */
/* spk_open of any bytes of any size, and spk_dim. It also proves what view.h assumes of an opened view. */
#include "model.h"
#include "quotient.h"
#include "read_transforms.h"
#include "spk_dim.c"
#include "spk_open.c"
#include "spk_transforms.h"
#include "varint.h"

int main(void) {
  size_t size;
  ANY(size);
  __CPROVER_assume(size <= MOST);
  const uint8_t *blob = malloc(size);
  spk_view v;
  if (spk_open(&v, blob, size) != SPK_OK) {
    __CPROVER_assert(v.blob == NULL && v.n_tiles == 0, "the view is cleared");
    return 0;
  }
  __CPROVER_assert(v.blob == blob && v.payload_size <= size, "the payload is in the blob,");
  __CPROVER_assert(v.payload == blob + (size - v.payload_size), "at its end,");
  __CPROVER_assert(v.payload_size % 4u == 0, "and whole words");
  __CPROVER_assert(v.payload - blob >= SPK_HEADER_SIZE && (v.payload - blob) % 4 == 0, "after a header");
  __CPROVER_assert(v.format <= 31u && v.n_dims <= SPK_MAX_DIMS, "fields are within limits");
  __CPROVER_assert(v.tile_size >= 1u && v.n_elements <= SPK_MAX_ELEMENTS, "sizes are within limits");
  __CPROVER_assert(v.n_tiles == spk_ceil_div(v.n_elements, v.tile_size), "tiles cover the tensor");
  __CPROVER_assert(v.n_tiles <= 1u || v.payload_size / 4u >= v.n_tiles, "their index is there");
  uint32_t axis;
  ANY(axis);
  (void)spk_dim(&v, axis);
  REACHED(v.n_tiles > 1u && v.n_dims == 2u && (v.flags & SPK_FLAG_LIVE));
  return 0;
}
