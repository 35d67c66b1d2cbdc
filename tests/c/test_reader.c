/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of spk_reader.h: every vector, arguments, tiles that are loaded by others, and sources that change. */
#include <string.h>

#include "check.h"
#include "check_reader.h"
#include "find_vector.h"
#include "spk_reader.h"
#include "tests.h"

enum { ROOM = 1 << 16, MOST_FAILURES = 400 };

static uint8_t window[ROOM], other[ROOM];
static int8_t dst[ROOM];

static int read_vector(void *context, uint32_t offset, void *to, uint32_t n) {
  memcpy(to, ((const vector *)context)->data + offset, n);
  return 0;
}

static spk_reader reader_of(vector *v) {
  spk_reader reader;
  CHECK(v->size <= ROOM && v->raw_size <= ROOM);
  CHECK(spk_reader_init(&reader, read_vector, v, v->size, window, sizeof window) == SPK_OK);
  return reader;
}

static void test_arguments(const vectors *all) {
  vector v = find_vector(all, "bitmap_tiles_of_100.blob");
  spk_reader reader;
  uint32_t offset, n;
  CHECK(spk_reader_init(NULL, read_vector, &v, v.size, window, sizeof window) == SPK_ERROR_ARGUMENT);
  CHECK(spk_reader_init(&reader, NULL, &v, v.size, window, sizeof window) == SPK_ERROR_ARGUMENT);
  CHECK(spk_reader_init(&reader, read_vector, &v, v.size, NULL, sizeof window) == SPK_ERROR_ARGUMENT);
  CHECK(spk_reader_open(&reader, 0, v.size) == SPK_ERROR_ARGUMENT);
  CHECK(spk_reader_init(&reader, read_vector, &v, v.size, window, SPK_READER_MIN_WINDOW - 1) == SPK_ERROR_WINDOW);
  CHECK(reader.window_needed == SPK_READER_MIN_WINDOW);
  CHECK(spk_reader_open(&reader, 0, v.size) == SPK_ERROR_ARGUMENT);
  CHECK(spk_reader_open(NULL, 0, v.size) == SPK_ERROR_ARGUMENT);

  reader = reader_of(&v);
  CHECK(spk_reader_validate(&reader) == SPK_ERROR_ARGUMENT); /* nothing is open */
  CHECK(spk_reader_decode_s8(&reader, dst, sizeof dst) == SPK_ERROR_ARGUMENT);
  CHECK(spk_reader_get(&reader, 0) == SPK_ERROR_ARGUMENT); /* no bundle is open */
  CHECK(spk_reader_find(&reader, "") == SPK_ERROR_ARGUMENT);
  CHECK(spk_reader_validate_bundle(&reader) == SPK_ERROR_ARGUMENT);
  CHECK(spk_reader_open(&reader, 1, v.size) == SPK_ERROR_TRUNCATED);
  CHECK(spk_reader_open(&reader, v.size + 1, 0) == SPK_ERROR_TRUNCATED);
  CHECK(spk_reader_open(&reader, UINT32_MAX, 2) == SPK_ERROR_TRUNCATED);
  CHECK(spk_reader_open(&reader, 0, v.size) == SPK_OK);
  CHECK(spk_reader_decode_s8(&reader, NULL, sizeof dst) == SPK_ERROR_ARGUMENT);
  CHECK(spk_reader_decode_s8(&reader, dst, v.raw_size - 1) == SPK_ERROR_DESTINATION);
  CHECK(spk_reader_decode_s8(&reader, (int8_t *)window + 1, v.raw_size) == SPK_ERROR_ARGUMENT);
  CHECK(spk_reader_decode_tile_s8(&reader, reader.view.n_tiles, dst, sizeof dst) == SPK_ERROR_TILE);
  CHECK(spk_reader_decode_tile_s8(&reader, 0, dst, 99) == SPK_ERROR_DESTINATION);
  CHECK(spk_reader_decode_tile_s8(&reader, 0, (int8_t *)window + ROOM - 1, 100) == SPK_ERROR_ARGUMENT);
  CHECK(spk_reader_place(&reader, reader.view.n_tiles, &offset, &n) == SPK_ERROR_TILE);
  CHECK(spk_reader_place(&reader, 0, NULL, &n) == SPK_ERROR_ARGUMENT);
  CHECK(spk_reader_window(&reader, NULL) == SPK_ERROR_ARGUMENT);
  /* An error closes what was open. */
  CHECK(spk_reader_open(&reader, 4, v.size - 4) != SPK_OK && reader.view.blob == NULL);
  CHECK(spk_reader_decode_s8(&reader, dst, sizeof dst) == SPK_ERROR_ARGUMENT);
}

/* As a program does that has DMA load tiles: they lie at another place than the window. */
static void test_loaded(const vectors *all, const char *name) {
  vector v = find_vector(all, name);
  spk_reader reader = reader_of(&v);
  uint32_t offset, n, done = 0;
  CHECK(spk_reader_open(&reader, 0, v.size) == SPK_OK && reader.view.n_tiles > 1);
  memset(window + reader.n_resident, 0, sizeof window - reader.n_resident);
  for (uint32_t i = 0; i < reader.view.n_tiles; i++) {
    if (!CHECK(spk_reader_place(&reader, i, &offset, &n) == SPK_OK)) return;
    memcpy(other, v.data + offset, n);
    const uint32_t elements = spk_tile_elements(&reader.view, i);
    CHECK(spk_reader_decode_loaded_s8(&reader, i, other, n, dst, elements - 1) == SPK_ERROR_DESTINATION);
    CHECK(spk_reader_decode_loaded_s8(&reader, i, other, n, dst, elements) == SPK_OK);
    CHECK(memcmp(dst, v.raw + done, elements) == 0);
    done += elements;
  }
  CHECK(done == v.raw_size);
  CHECK(spk_reader_decode_loaded_s8(&reader, 0, NULL, n, dst, ROOM) == SPK_ERROR_ARGUMENT);
  CHECK(spk_reader_decode_loaded_s8(&reader, 0, other, n, (int8_t *)other, ROOM) == SPK_ERROR_ARGUMENT);
  CHECK(spk_reader_decode_loaded_s8(&reader, 0, other, n, (int8_t *)window, ROOM) == SPK_ERROR_ARGUMENT);
  CHECK(spk_reader_decode_loaded_s8(&reader, 0, other, 2, dst, ROOM) == SPK_ERROR_STREAM);
  CHECK(spk_reader_decode_loaded_s8(&reader, reader.view.n_tiles, other, n, dst, ROOM) == SPK_ERROR_TILE);
}

/* A blob in the middle of a memory, as a table of blobs leads to. */
static void test_offset(const vectors *all) {
  vector v = find_vector(all, "bitmap_tiles_of_100.blob"), moved = v;
  memset(other, 0xAB, sizeof other);
  memcpy(other + 1001, v.data, v.size);
  moved.data = other;
  moved.size = sizeof other;
  spk_reader reader = reader_of(&moved);
  CHECK(spk_reader_open(&reader, 1001, v.size) == SPK_OK && spk_reader_validate(&reader) == SPK_OK);
  CHECK(spk_reader_decode_s8(&reader, dst, v.raw_size) == SPK_OK && memcmp(dst, v.raw, v.raw_size) == 0);
}

void test_reader(const vectors *all) {
  for (uint32_t i = 0; i < all->n; i++) {
    const vector v = get_vector(all->image, i);
    check_reader(&v, MOST_FAILURES);
  }
  test_arguments(all);
  test_loaded(all, "bitmap_tiles_of_100.blob");
  test_loaded(all, "dense_tiles_of_100.blob");
  test_offset(all);
}
