/* SPDX-License-Identifier: Apache-2.0 */
/* spk_reader_init and spk_reader_open: any window, and a blob of any bytes at any offset. It also proves what reader.c
 * assumes of a reader with an open blob. */
#include "quotient.h"
#include "read_transforms.h"
#include "reader.h"
#include "spk_open.c"
#include "spk_reader.c"
#include "spk_transforms.h"
#include "varint.h"

int main(void) {
  size_t window_size;
  uint32_t offset, blob_size;
  ANY(window_size), ANY(readable), ANY(offset), ANY(blob_size);
  __CPROVER_assume(window_size <= (UINT64_C(1) << 33));
  uint8_t *window = malloc(window_size);
  spk_reader reader;
  if (spk_reader_init(&reader, read_some, NULL, readable, window, window_size) != SPK_OK) {
    __CPROVER_assert(reader.read == NULL, "the reader is cleared");
    return 0;
  }
  __CPROVER_assert(reader.window_size <= window_size && reader.size == readable, "the reader knows both sizes");
  const spk_view *const v = &reader.view;
  if (spk_reader_open(&reader, offset, blob_size) != SPK_OK) {
    __CPROVER_assert(v->blob == NULL && v->n_tiles == 0, "no blob is open");
    return 0;
  }
  __CPROVER_assert(v->blob == window && v->payload == window + reader.n_resident, "header and bitmaps are resident");
  __CPROVER_assert(reader.n_resident >= SPK_HEADER_SIZE && reader.n_resident <= reader.window_size, "in the window");
  __CPROVER_assert(reader.n_resident % 4u == 0 && v->payload_size % 4u == 0, "and whole words");
  __CPROVER_assert(reader.payload_begin <= readable && v->payload_size <= readable - reader.payload_begin,
                   "the tiles are in the memory");
  __CPROVER_assert(v->tile_size >= 1u && v->n_elements <= SPK_MAX_ELEMENTS, "sizes are within limits");
  __CPROVER_assert(v->format <= 31u && v->n_dims <= SPK_MAX_DIMS, "so are fields");
  __CPROVER_assert(v->n_tiles == spk_ceil_div(v->n_elements, v->tile_size), "tiles cover the tensor");
  __CPROVER_assert(v->n_tiles <= 1u || v->payload_size / 4u >= v->n_tiles, "their index is there");
  REACHED(v->n_tiles > 1u && reader.n_resident > 40u);
  return 0;
}
