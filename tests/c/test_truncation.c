/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs that end early, at every byte: as they are, and with a header that states the shorter size. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "repair.h"
#include "spk.h"
#include "tests.h"
#include "vector.h"

enum { MAX_SIZE = 1024, PAYLOAD_SIZE_FIELD = 4 };

/* Copies that end where the heap's block does. */
static uint8_t *copy(const uint8_t *data, size_t size) {
  uint8_t *exact = malloc(size ? size : 1);
  if (!exact) abort();
  memcpy(exact, data, size);
  return exact;
}

static void check_shorter_file(const vector *v, uint32_t size) {
  uint8_t *blob = copy(v->data, size);
  spk_view view;
  CHECK(spk_open(&view, blob, size) == SPK_ERROR_TRUNCATED);
  free(blob);
}

/* At least one byte of the last stream is gone, or of the tile index. */
static void check_shorter_payload(const vector *v, const spk_view *whole, uint32_t payload_size) {
  const size_t size = v->size - whole->payload_size + payload_size;
  uint8_t *blob = copy(v->data, size);
  int8_t *dst = malloc(whole->n_elements);
  spk_view view;
  if (!dst) abort();
  store_u32(blob + PAYLOAD_SIZE_FIELD, (uint32_t)size - 4u * blob[3]); /* bitmaps included */
  seal_blob(blob, size);
  const spk_status opened = spk_open(&view, blob, size);
  CHECK(opened == SPK_OK || opened == SPK_ERROR_HEADER);
  if (opened == SPK_OK) {
    CHECK(spk_validate(&view) == SPK_ERROR_STREAM);
    CHECK(spk_decode_s8(&view, dst, whole->n_elements) == SPK_ERROR_STREAM);
  }
  free(dst);
  free(blob);
}

void test_truncation(const vectors *all) {
  for (uint32_t i = 0; i < all->n; i++) {
    const vector v = get_vector(all->image, i);
    spk_view view;
    if (v.is_bundle || !v.is_valid || v.size > MAX_SIZE) continue;
    check_context = v.name;
    for (uint32_t size = 0; size < v.size; size++) check_shorter_file(&v, size);
    if (!CHECK(spk_open(&view, v.data, v.size) == SPK_OK)) continue;
    for (uint32_t size = 0; size < view.payload_size; size += 4) check_shorter_payload(&v, &view, size);
  }
}
