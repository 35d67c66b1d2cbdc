/* SPDX-License-Identifier: Apache-2.0 */
/* Positions and sizes that would make too large a vector file. The tiles are laid out by hand after docs/format.md. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "repair.h"
#include "spk.h"
#include "tests.h"

enum { RLE = 3, DCSR = 4, HYBRID = 5 };

/* Bytes of the header of a blob of one dimension: an extent takes up to four bytes, or the five of 28 bits and more. */
static uint32_t header_size(uint32_t n) { return n < UINT32_C(1) << 28 ? 16 : 20; }

/* A blob of one tile and one dimension, its payload zero. */
static uint8_t *new_blob(uint8_t format, uint32_t n, uint32_t payload_size) {
  uint8_t *blob = calloc(header_size(n) + (size_t)payload_size, 1);
  if (!blob) abort();
  blob[0] = SPK_MAGIC;
  blob[1] = SPK_VERSION << 4 | 1;
  blob[2] = format;
  blob[3] = (uint8_t)(header_size(n) / 4);
  store_u32(blob + 4, payload_size);
  store_varint(blob + 12, n);
  return blob;
}

/* Seals the blob and checks that it decodes to zeros but for a 7 at a position; or, where that is n, to nothing. */
static void check_blob(uint8_t *blob, uint32_t payload_size, uint32_t n, uint32_t position) {
  const size_t size = header_size(n) + (size_t)payload_size;
  const spk_status expected = position < n ? SPK_OK : SPK_ERROR_STREAM;
  int8_t *dst = malloc(n);
  spk_view view;
  if (!dst) abort();
  seal_blob(blob, size);
  CHECK(spk_open(&view, blob, size) == SPK_OK);
  CHECK(spk_validate(&view) == expected);
  CHECK(spk_decode_s8(&view, dst, n) == expected);
  if (position < n && CHECK(dst[position] == 7)) {
    dst[position] = 0;
    CHECK(memchr(dst, 7, n) == NULL);
  }
  free(dst);
  free(blob);
}

static void test_dcsr_long_base(void) {
  check_context = "dcsr: a base of a million";
  const uint32_t n = 1000003, size = 8 + 4 + 16 + 4 + 4 + 4;
  uint8_t *blob = new_blob(DCSR, n, size), *tile = blob + header_size(n);
  store_u32(tile, 1);
  tile[8] = 7;
  tile[32] = 0x80;
  store_u32(tile + 36, 1000002);
  check_blob(blob, size, n, 1000002);
}

/* One group of one element, whose distance is a run of 255 and last. */
static void check_hybrid_distance(uint32_t run, uint8_t last, uint32_t n, uint32_t position) {
  const uint32_t distances = run + 1, size = 8 + 4 + 4 + 4 + ((distances + 3) & ~3u) + 8;
  uint8_t *blob = new_blob(HYBRID, n, size), *tile = blob + header_size(n);
  memcpy(tile, "\1\1\4", 3);
  store_u32(tile + 4, distances);
  store_u32(tile + 8, 1u << 8 | 1u);
  tile[12] = 7;
  memset(tile + 20, 255, run);
  tile[20 + run] = last;
  check_blob(blob, size, n, position);
}

static void test_hybrid_distance(void) {
  check_context = "hybrid: a distance of a million";
  check_hybrid_distance(3921, 145, 1000001, 1000000);
  check_context = "hybrid: a distance of 2^32 + 5";
  check_hybrid_distance(16843009, 6, 100, 100);
}

/* A header may state the largest size there is; nothing but the destination has to be that large. */
static void test_largest(void) {
  check_context = "rle: 2^30 zeros";
  uint8_t *blob = new_blob(RLE, SPK_MAX_ELEMENTS, 4);
  const uint32_t size = header_size(SPK_MAX_ELEMENTS) + 4;
  int8_t dst[1];
  spk_view view;
  seal_blob(blob, size);
  CHECK(spk_open(&view, blob, size) == SPK_OK);
  CHECK(view.n_elements == SPK_MAX_ELEMENTS && spk_dim(&view, 0) == SPK_MAX_ELEMENTS);
  CHECK(spk_validate(&view) == SPK_OK);
  CHECK(spk_decode_s8(&view, dst, sizeof dst) == SPK_ERROR_DESTINATION);
  free(blob);
}

void test_far(void) {
  test_dcsr_long_base();
  test_hybrid_distance();
  test_largest();
}
