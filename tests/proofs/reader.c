/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of a reader with an open blob, as reader_open.c proves it: what the function that reads is asked for,
 * and what decoding and validating a tile are called with. PART: 0 spk_reader_decode_s8, 1 _decode_tile_s8, 2 _place, 3
 * _decode_loaded_s8, 4 _window, 5 _validate. */
#include "reader.h"

#include "words.h"

/* A division that gives anything: what is needed of it is what find_tile.c proves of a tile. */
SPK_INLINE uint32_t spk_ceil_div(uint32_t a, uint32_t b) {
  (void)a, (void)b;
  return (uint32_t)nondet_any();
}

#include "view.h"

uint32_t __CPROVER_uninterpreted_elements(uint32_t i);
#define END_IN_TENSOR(begin)                    \
  __CPROVER_assume(i >= reader->view.n_tiles || \
                   (begin) + __CPROVER_uninterpreted_elements(i) <= reader->view.n_elements)

/* As find_tile.c proves. */
uint32_t spk_tile_elements(const spk_view *view, uint32_t i) {
  if (i >= view->n_tiles) return 0;
  const uint32_t n = __CPROVER_uninterpreted_elements(i);
  __CPROVER_assume(n >= 1u && n <= view->n_elements);
  return n;
}
static void there(const spk_view *view, uint32_t i, const spk_tile *tile, const spk_pass *pass) {
  __CPROVER_assert(i < view->n_tiles && __CPROVER_w_ok(pass, sizeof *pass), "there is such a tile");
  __CPROVER_assert(tile->size % 4u == 0 && tile->n >= 1u, "it is of whole words, and of elements");
}
static void bytes_are_there(const spk_tile *tile) {
  __CPROVER_assert(tile->size == 0 || __CPROVER_r_ok(tile->data, tile->size), "its bytes are there");
}
spk_status spk_decode_found(const spk_view *view, uint32_t i, const spk_tile *tile, spk_pass *pass, int8_t *dst) {
  there(view, i, tile, pass);
  bytes_are_there(tile);
  __CPROVER_assert(__CPROVER_w_ok(dst, tile->n), "the destination has room for them");
  return (spk_status)(nondet_any() % 15u);
}
/* spk_dense_validate looks at no byte, and the reader loads none for it. */
spk_status spk_validate_found(const spk_view *view, uint32_t i, const spk_tile *tile, spk_pass *pass) {
  there(view, i, tile, pass);
  if (view->format != SPK_FORMAT_DENSE || (view->flags & SPK_TRANSFORMED)) bytes_are_there(tile);
  return (spk_status)(nondet_any() % 15u);
}
uint32_t spk_crc32(uint32_t crc, const uint8_t *data, size_t size) {
  __CPROVER_assert(size == 0 || __CPROVER_r_ok(data, size), "what is summed up is there");
  (void)crc;
  return (uint32_t)nondet_any();
}
bool spk_overlaps(const void *begin, const void *end, const void *dst, uint32_t n) {
  (void)begin, (void)end, (void)dst, (void)n;
  return nondet_any() & 1u;
}

#include "spk_reader.c"

int main(void) {
  spk_reader r;
  ANY(readable), ANY(r.window_size), ANY(r.n_resident), ANY(r.payload_begin), ANY(r.window_needed);
  r.read = read_some;
  r.size = readable;
  r.view = any_shape();
  __CPROVER_assume(r.n_resident >= SPK_HEADER_SIZE && r.n_resident <= r.window_size && r.n_resident % 4u == 0);
  __CPROVER_assume(r.payload_begin <= readable && r.view.payload_size <= readable - r.payload_begin);
  r.window = malloc(r.window_size);
  r.view.blob = r.window;
  r.view.payload = r.window + r.n_resident;
  size_t size;
  uint32_t tile, n;
  ANY(size), ANY(tile), ANY(n);
  __CPROVER_assume(size <= MOST && n <= MOST);
  int8_t *dst = malloc(size);
#if PART == 0
  REACHED(spk_reader_decode_s8(&r, dst, size) == SPK_OK && r.view.n_tiles > 1u);
#elif PART == 1
  REACHED(spk_reader_decode_tile_s8(&r, tile, dst, size) == SPK_OK && tile > 1u);
#elif PART == 2
  uint32_t offset;
  const spk_status status = spk_reader_place(&r, tile, &offset, &n);
  if (status == SPK_OK) {
    __CPROVER_assert(offset <= readable && n <= readable - offset && n % 4u == 0, "such bytes can be read");
  }
  REACHED(status == SPK_OK && tile > 1u);
#elif PART == 3
  const uint8_t *loaded = malloc(n);
  REACHED(spk_reader_decode_loaded_s8(&r, tile, loaded, n, dst, size) == SPK_OK && tile > 1u);
#elif PART == 4
  REACHED(spk_reader_window(&r, &n) == SPK_OK && r.view.n_tiles > 1u);
#else
  REACHED(spk_reader_validate(&r) == SPK_OK && r.view.n_tiles > 1u);
#endif
  return 0;
}
