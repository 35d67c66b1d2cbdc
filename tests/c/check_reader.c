/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of spk_reader for one vector. check_reader.h says which. */
#include "check_reader.h"

#include <string.h>

#include "check.h"
#include "memory.h"
#include "spk_reader.h"

enum { MAX_SIZE = 4096 };

/* A memory that can only be read by a call; the call number `fails_at` fails, and writes garbage. */
typedef struct memory {
  const vector *v;
  uint32_t n_reads, fails_at;
} memory;

static int read_memory(void *context, uint32_t offset, void *dst, uint32_t n) {
  memory *const from = (memory *)context;
  if (!CHECK(n != 0 && offset <= from->v->size && n <= from->v->size - offset)) return 1;
  if (from->n_reads++ == from->fails_at) {
    memset(dst, GUARD_BYTE, n);
    return -1;
  }
  memcpy(dst, from->v->data + offset, n);
  return 0;
}

/* The destination ends where nothing is. */
static spk_status decode(spk_reader *reader, bool whole, uint32_t tile, uint32_t n, const uint8_t *expected) {
  int8_t *const dst = (int8_t *)lend_tight(DESTINATION, n);
  if (!CHECK(dst != NULL)) return SPK_ERROR_DESTINATION;
  const spk_status status =
      whole ? spk_reader_decode_s8(reader, dst, n) : spk_reader_decode_tile_s8(reader, tile, dst, n);
  if (status == SPK_OK && expected) CHECK(memcmp(dst, expected, n) == 0);
  give_back(DESTINATION);
  return status;
}

/* All tiles and the whole of the open blob. expected is null where the bytes are not known. */
static spk_status decode_all(spk_reader *reader, const uint8_t *expected) {
  const uint32_t n = reader->view.n_elements;
  const spk_status status = decode(reader, true, 0, n, expected);
  for (uint32_t i = 0; i < reader->view.n_tiles; i++) {
    const uint8_t *const part = expected ? expected + i * reader->view.tile_size : NULL;
    const spk_status of_tile = decode(reader, false, i, spk_tile_elements(&reader->view, i), part);
    if (of_tile == SPK_ERROR_READ) return of_tile;
    CHECK(of_tile == SPK_OK || status != SPK_OK);
  }
  return status;
}

/* Every call that a program makes, as far as it comes. statuses: of open, validate and decode. */
static void use_blob(spk_reader *reader, const vector *v, int statuses[3]) {
  statuses[0] = (int)spk_reader_open(reader, 0, v->size);
  if (statuses[0] != SPK_OK) {
    CHECK(reader->view.blob == NULL);
    return;
  }
  CHECK(!v->is_valid || reader->view.n_elements == v->raw_size);
  statuses[1] = (int)spk_reader_validate(reader);
  statuses[2] = (int)decode_all(reader, v->is_valid ? v->raw : NULL);
}

static void use_bundle(spk_reader *reader, const vector *v, int statuses[3]) {
  const uint8_t *expected = v->raw;
  statuses[0] = (int)spk_reader_open_bundle(reader);
  if (statuses[0] != SPK_OK) return;
  statuses[1] = (int)spk_reader_validate_bundle(reader);
  CHECK(reader->view.blob == NULL);
  statuses[2] = SPK_OK;
  for (uint32_t i = 0; i < reader->n_tensors; i++) {
    const char *const name = (const char *)expected;
    spk_status status = SPK_OK;
    if (v->is_valid) {
      status = spk_reader_find(reader, name);
      const uint32_t begin = reader->payload_begin;
      if (status == SPK_OK) status = spk_reader_get(reader, i);
      CHECK(status != SPK_OK || reader->payload_begin == begin);
      expected += strlen(name) + 1;
    } else {
      status = spk_reader_get(reader, i);
    }
    if (status == SPK_OK) status = decode_all(reader, v->is_valid ? expected : NULL);
    if (status == SPK_OK) expected += reader->view.n_elements;
    if (statuses[2] == SPK_OK) statuses[2] = (int)status;
    if (status == SPK_ERROR_READ) return;
  }
  CHECK(spk_reader_get(reader, reader->n_tensors) == SPK_ERROR_NOT_FOUND);
  const spk_status nothing = spk_reader_find(reader, "no such tensor");
  CHECK(nothing == SPK_ERROR_NOT_FOUND || nothing == SPK_ERROR_READ);
}

/* Returns the number of reads. */
static uint32_t use(const vector *v, uint32_t window_size, uint32_t fails_at, int statuses[3]) {
  memory from = {v, 0, fails_at};
  spk_reader reader;
  uint8_t *const window = lend_tight(SOURCE, window_size);
  statuses[0] = statuses[1] = statuses[2] = NOT_REACHED;
  if (!CHECK(window != NULL)) return 0;
  CHECK(spk_reader_init(&reader, read_memory, &from, v->size, window, window_size) == SPK_OK);
  (v->is_bundle ? use_bundle : use_blob)(&reader, v, statuses);
  give_back(SOURCE);
  return from.n_reads;
}

/* The least window for a valid blob: what is needed, and what happens with less. */
static void check_window(const vector *v) {
  memory from = {v, 0, UINT32_MAX};
  uint8_t *const window = lend_tight(SOURCE, v->size + SPK_READER_MIN_WINDOW);
  spk_reader reader;
  uint32_t needed = 0;
  if (!CHECK(window != NULL)) return;
  CHECK(spk_reader_init(&reader, read_memory, &from, v->size, window, v->size + SPK_READER_MIN_WINDOW) == SPK_OK);
  CHECK(spk_reader_open(&reader, 0, v->size) == SPK_OK && spk_reader_window(&reader, &needed) == SPK_OK);
  CHECK(needed >= reader.n_resident && needed >= SPK_READER_MIN_WINDOW);
  CHECK(needed <= v->size || needed == SPK_READER_MIN_WINDOW);
  give_back(SOURCE);

  int statuses[3];
  (void)use(v, needed, UINT32_MAX, statuses);
  CHECK(statuses[0] == SPK_OK && statuses[1] == SPK_OK && statuses[2] == SPK_OK);
  if (needed < SPK_READER_MIN_WINDOW + 4) return;
  uint8_t *const small = lend_tight(SOURCE, needed - 4);
  if (!CHECK(small != NULL)) return;
  CHECK(spk_reader_init(&reader, read_memory, &from, v->size, small, needed - 4) == SPK_OK);
  spk_status status = spk_reader_open(&reader, 0, v->size);
  if (status == SPK_OK) {
    status = spk_reader_validate(&reader);
    CHECK(status == SPK_ERROR_WINDOW);
    const spk_status decoded = decode(&reader, true, 0, reader.view.n_elements, NULL);
    CHECK(decoded == SPK_ERROR_WINDOW);
  }
  CHECK(status == SPK_ERROR_WINDOW && reader.window_needed > needed - 4 && reader.window_needed <= needed);
  give_back(SOURCE);
}

void check_reader(const vector *v, uint32_t most_failures) {
  int statuses[3], of_failure[3];
  check_context = v->name;
  const uint32_t n_reads = use(v, v->size + SPK_READER_MIN_WINDOW, UINT32_MAX, statuses);
  CHECK(statuses[0] == v->opened && statuses[1] == v->validated);
  /* The reader gives no names, so it does not miss one. */
  const bool is_nameless = v->is_bundle && v->validated == SPK_ERROR_HEADER && statuses[2] == SPK_OK;
  CHECK(statuses[2] == v->decoded || is_nameless);
  if (v->is_valid && !v->is_bundle) check_window(v);
  if (v->size > MAX_SIZE) return;
  for (uint32_t i = 0, step = n_reads / most_failures + 1u; i < n_reads; i += step) {
    (void)use(v, v->size + SPK_READER_MIN_WINDOW, i, of_failure);
    bool is_read_error = false;
    for (unsigned of = 0; of < 3; of++) is_read_error |= of_failure[of] == SPK_ERROR_READ;
    CHECK(is_read_error || statuses[2] != SPK_OK || v->is_bundle);
    CHECK(of_failure[2] != SPK_OK || v->is_bundle || of_failure[1] == SPK_ERROR_READ);
  }
  check_context = "";
}
