/* SPDX-License-Identifier: Apache-2.0 */
/* spk_reader on any bytes, with windows of any size: it says what spk_open, spk_validate and the decoders say, or that
 * the window is too small. And on bytes that change from one read to the next: nothing may crash then.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "repair.h"
#include "spk_reader.h"

enum { MOST_WINDOW = 2048, MOST_TENSORS = 64 };

typedef struct memory {
  const uint8_t *data;
  size_t size;
  uint32_t n_reads, changes_at; /* from that read on */
} memory;

static int read_memory(void *context, uint32_t offset, void *dst, uint32_t n) {
  memory *const from = context;
  uint8_t *const to = dst;
  REQUIRE(n != 0 && offset <= from->size && n <= from->size - offset);
  memcpy(to, from->data + offset, n);
  if (from->n_reads++ >= from->changes_at) to[(offset + from->n_reads) % n] ^= (uint8_t)(from->n_reads * 37u);
  return 0;
}

static spk_status decode(spk_reader *reader, int8_t **dst) {
  *dst = NULL;
  if (reader->view.n_elements > MAX_ELEMENTS) return SPK_ERROR_DESTINATION;
  *dst = (int8_t *)exact_copy(NULL, reader->view.n_elements);
  return spk_reader_decode_s8(reader, *dst, reader->view.n_elements);
}

/* What is open, beside the same bytes in memory. */
static void compare(spk_reader *reader, const spk_view *view) {
  spk_status status = spk_reader_validate(reader);
  REQUIRE(status == SPK_ERROR_WINDOW || status == spk_validate(view));
  REQUIRE(reader->view.n_elements == view->n_elements && reader->view.n_tiles == view->n_tiles);
  int8_t *through, *direct;
  status = decode(reader, &through);
  if (!through) return;
  direct = (int8_t *)exact_copy(NULL, view->n_elements);
  if (status == SPK_OK) {
    REQUIRE(spk_decode_s8(view, direct, view->n_elements) == SPK_OK);
    REQUIRE(memcmp(direct, through, view->n_elements) == 0);
  } else if (status != SPK_ERROR_WINDOW) {
    REQUIRE(status == spk_decode_s8(view, direct, view->n_elements));
  }
  free(through);
  free(direct);
}

static void check_blob(spk_reader *reader, const uint8_t *blob, size_t size) {
  spk_view view;
  const spk_status opened = spk_open(&view, blob, size), status = spk_reader_open(reader, 0, (uint32_t)size);
  REQUIRE(status == opened || (opened == SPK_OK && status == SPK_ERROR_WINDOW));
  if (status == SPK_OK) compare(reader, &view);
}

static void check_bundle(spk_reader *reader, const uint8_t *file, size_t size) {
  spk_bundle bundle;
  spk_view view;
  const spk_status opened = spk_bundle_open(&bundle, file, size);
  REQUIRE(spk_reader_open_bundle(reader) == opened);
  if (opened != SPK_OK) return;
  const spk_status valid = spk_reader_validate_bundle(reader);
  REQUIRE(valid == SPK_ERROR_WINDOW || valid == spk_bundle_validate(&bundle));
  for (uint32_t i = 0; i < bundle.n_tensors && i < MOST_TENSORS; i++) {
    const char *name = NULL;
    const spk_status got = spk_bundle_get(&bundle, i, NULL, &view), status = spk_reader_get(reader, i);
    REQUIRE(status == got || (got == SPK_OK && status == SPK_ERROR_WINDOW));
    if (status == SPK_OK) compare(reader, &view);
    if (spk_bundle_get(&bundle, i, &name, &view) != SPK_OK || !name) continue;
    const spk_status found = spk_bundle_find(&bundle, name, &view), same = spk_reader_find(reader, name);
    REQUIRE(same == found || (found == SPK_OK && same == SPK_ERROR_WINDOW));
  }
}

/* Whatever comes, as long as it stays inside. */
static void use_what_changes(spk_reader *reader, size_t size) {
  int8_t *dst;
  if (spk_reader_open_bundle(reader) == SPK_OK) {
    (void)spk_reader_validate_bundle(reader);
    (void)spk_reader_find(reader, "w");
    for (uint32_t i = 0; i < MOST_TENSORS && spk_reader_get(reader, i) == SPK_OK; i++) {
      (void)decode(reader, &dst);
      free(dst);
    }
  }
  if (spk_reader_open(reader, 0, (uint32_t)size) != SPK_OK) return;
  (void)spk_reader_validate(reader);
  (void)decode(reader, &dst);
  free(dst);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t *bytes = exact_copy(data, size);
  const bool is_bundle = size != 0 && data[0] == 'S';
  if (size != 0 && data[0] != SPK_MAGIC && !is_bundle) size = repair_blob(bytes, size, data[0] % 2 == 0);
  const size_t window_size = SPK_READER_MIN_WINDOW + (size == 0 ? 0 : bytes[size - 1] * 7u + size * 3u) % MOST_WINDOW;
  uint8_t *const window = exact_copy(NULL, window_size);
  for (uint32_t changes_at = UINT32_MAX;; changes_at = changes_at == UINT32_MAX ? 1 : changes_at * 3u) {
    memory from = {bytes, size, 0, changes_at};
    spk_reader reader;
    REQUIRE(spk_reader_init(&reader, read_memory, &from, (uint32_t)size, window, window_size) == SPK_OK);
    if (changes_at == UINT32_MAX) {
      (is_bundle ? check_bundle : check_blob)(&reader, bytes, size);
    } else {
      use_what_changes(&reader, size);
      if (from.n_reads < changes_at) break;
    }
  }
  free(window);
  free(bytes);
  return 0;
}
