/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles in which many hashes are those of one name: each tensor is found, and the names are read once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "find_vector.h"
#include "repair.h"
#include "spk_internal.h"
#include "spk_reader.h"
#include "tests.h"

enum { N = 2000, NAME = 8, HEADER = 24, NAMES = HEADER + 8 * N, BLOB = NAMES + NAME * N };

static uint32_t n_read;

static int read_bytes(void *context, uint32_t offset, void *to, uint32_t n) {
  n_read += n;
  memcpy(to, (const uint8_t *)context + offset, n);
  return 0;
}

/* A file of N tensors t000000, t000001, ..., all with the hash of that name. Each but the last one is empty. */
static uint8_t *make_file(const vector *blob, const char *name, uint32_t *size) {
  *size = BLOB + blob->size;
  uint8_t *file = malloc(*size);
  memcpy(file, "SPKF\1\1\0\0", 8);
  store_u32(file + 8, N);
  store_u32(file + 12, *size);
  store_u32(file + 16, 0);
  store_u32(file + 20, NAME * N);
  for (uint32_t i = 0; i < N; i++) {
    store_u32(file + HEADER + 8 * i, BLOB);
    store_u32(file + HEADER + 8 * i + 4, spk_crc32(0, (const uint8_t *)name, strlen(name)));
    snprintf((char *)file + NAMES + NAME * i, NAME, "t%06u", (unsigned)i);
  }
  memcpy(file + BLOB, blob->data, blob->size);
  return file;
}

/* What both ways to find a name say. */
static spk_status find(const uint8_t *file, uint32_t size, const char *name, spk_view *view) {
  static uint8_t window[4096];
  spk_bundle bundle;
  spk_reader reader;
  CHECK(spk_bundle_open(&bundle, file, size) == SPK_OK);
  CHECK(spk_reader_init(&reader, read_bytes, (void *)(uintptr_t)file, size, window, sizeof window) == SPK_OK);
  CHECK(spk_reader_open_bundle(&reader) == SPK_OK);
  const spk_status status = spk_bundle_find(&bundle, name, view);
  n_read = 0;
  CHECK(spk_reader_find(&reader, name) == status);
  CHECK((reader.view.blob != NULL) == (status == SPK_OK));
  return status;
}

void test_equal_hashes(const vectors *all) {
  const vector blob = find_vector(all, "rle_all_non_zero.blob");
  char name[NAME];
  spk_view view;
  uint32_t size;
  for (uint32_t i = 0; i < N; i += N - 1) {
    snprintf(name, sizeof name, "t%06u", (unsigned)i);
    uint8_t *file = make_file(&blob, name, &size);
    CHECK(find(file, size, name, &view) == (i == N - 1 ? SPK_OK : SPK_ERROR_TRUNCATED));
    CHECK(i != N - 1 || view.blob == file + BLOB);
    /* Not once more for each hash that is equal. A read is 64 bytes, of which a name takes 8. */
    CHECK(n_read < 2 * NAMES + (64 + NAME) * N);
    free(file);
  }
  uint8_t *file = make_file(&blob, "no name", &size);
  CHECK(find(file, size, "no name", &view) == SPK_ERROR_NOT_FOUND);
  CHECK(n_read < 2 * NAMES + (64 + NAME) * N);
  /* The last names do not end: they are none, and those before them are found. */
  memset(file + NAMES + NAME * (N / 2) - 1, 'x', NAME * (N / 2) + 1);
  CHECK(find(file, size, "no name", &view) == SPK_ERROR_NOT_FOUND);
  CHECK(n_read < 2 * NAMES + (64 + NAME) * N);
  free(file);
}
