/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of spk.h for blobs: arguments, limits, what the view says. */
#include <string.h>

#include "check.h"
#include "find_vector.h"
#include "spk.h"
#include "tests.h"

/* The values are part of the interface, so they are written down a second time here. */
static void test_statuses(void) {
  static const char *const names[] = {"ok",     "argument",    "truncated", "magic",    "version",
                                      "format", "unsupported", "header",    "checksum", "destination",
                                      "tile",   "stream",      "not_found", "read",     "window"};
  const int n = (int)(sizeof names / sizeof *names);
  check_context = "statuses";
  for (int i = 0; i < n; i++) CHECK(strcmp(spk_status_name((spk_status)i), names[i]) == 0);
  CHECK(strcmp(spk_status_name((spk_status)n), "unknown") == 0);
  CHECK(SPK_OK == 0 && SPK_ERROR_DESTINATION == 9 && SPK_ERROR_NOT_FOUND == 12);
  CHECK(SPK_ERROR_READ == 13 && SPK_ERROR_WINDOW == 14);
}

/* The worked example of docs/format.md, on raw pointers as a .tflite has them. */
static void test_prune(void) {
  static const uint8_t bitmap[5] = {0xAE, 0x00, 0x40, 0x00, 0x01};
  static const int8_t values[7] = {3, -1, 4, 9, -5, -128, 7};
  static const uint8_t positions[7] = {0, 2, 4, 5, 6, 17, 39};
  int8_t expected[40] = {0}, dst[41];
  check_context = "spk_tflm_prune_s8";
  for (int i = 0; i < 7; i++) expected[positions[i]] = values[i];
  for (size_t n = 0; n <= 40; n++) {
    memset(dst, 0x5A, sizeof dst);
    CHECK(spk_tflm_prune_s8(dst, n, bitmap, (n + 7) / 8, values, 7) == SPK_OK);
    CHECK(memcmp(dst, expected, n) == 0 && dst[n] == 0x5A);
  }
  CHECK(spk_tflm_prune_s8(dst, 40, bitmap, 4, values, 7) == SPK_ERROR_STREAM);
  CHECK(spk_tflm_prune_s8(dst, 40, bitmap, 5, values, 6) == SPK_ERROR_STREAM);
  CHECK(spk_tflm_prune_s8(NULL, 40, bitmap, 5, values, 7) == SPK_ERROR_ARGUMENT);
  CHECK(spk_tflm_prune_s8(dst, 40, NULL, 5, values, 7) == SPK_ERROR_ARGUMENT);
  CHECK(spk_tflm_prune_s8(dst, 40, bitmap, 5, NULL, 7) == SPK_ERROR_ARGUMENT);
}

static void test_view(const vectors *all) {
  const vector v = find_vector(all, "dense_tiles_of_16.blob");
  spk_view view;
  CHECK(spk_open(&view, v.data, v.size) == SPK_OK);
  CHECK(view.blob == v.data && view.payload + view.payload_size == v.data + v.size);
  CHECK(view.format == 1 && view.n_dims == 2);
  CHECK(view.n_elements == 208 && view.tile_size == 16 && view.n_tiles == 13);

  CHECK(spk_dim(&view, 0) == 13 && spk_dim(&view, 1) == 16);
  CHECK(spk_dim(&view, 2) == 0 && spk_dim(&view, UINT32_MAX) == 0);
  CHECK(spk_dim(NULL, 0) == 0);

  const spk_view copy = view;
  int8_t dst[208];
  CHECK(spk_decode_s8(&copy, dst, sizeof dst) == SPK_OK && memcmp(dst, v.raw, sizeof dst) == 0);
}

static void test_null(const vectors *all) {
  const vector v = find_vector(all, "rle_one_element.blob");
  spk_view view;
  int8_t dst[1];
  CHECK(spk_open(NULL, v.data, v.size) == SPK_ERROR_ARGUMENT);
  CHECK(spk_open(&view, NULL, v.size) == SPK_ERROR_ARGUMENT);
  CHECK(spk_open(&view, v.data, v.size) == SPK_OK);
  CHECK(spk_validate(NULL) == SPK_ERROR_ARGUMENT);
  CHECK(spk_decode_s8(NULL, dst, 1) == SPK_ERROR_ARGUMENT);
  CHECK(spk_decode_s8(&view, NULL, 1) == SPK_ERROR_ARGUMENT);
  CHECK(spk_decode_tile_s8(NULL, 0, dst, 1) == SPK_ERROR_ARGUMENT);
  CHECK(spk_decode_tile_s8(&view, 0, NULL, 1) == SPK_ERROR_ARGUMENT);
  CHECK(spk_tile_elements(NULL, 0) == 0);
}

static void test_tiles(const vectors *all) {
  const vector v = find_vector(all, "bitmap_tiles_of_100.blob");
  spk_view view;
  int8_t dst[400];
  CHECK(spk_open(&view, v.data, v.size) == SPK_OK);
  CHECK(view.n_tiles == 4);
  CHECK(spk_tile_elements(&view, 0) == 100 && spk_tile_elements(&view, 3) == 50);
  CHECK(spk_tile_elements(&view, 4) == 0 && spk_tile_elements(&view, UINT32_MAX) == 0);

  CHECK(spk_decode_tile_s8(&view, 4, dst, sizeof dst) == SPK_ERROR_TILE);
  CHECK(spk_decode_tile_s8(&view, UINT32_MAX, dst, sizeof dst) == SPK_ERROR_TILE);
  CHECK(spk_decode_tile_s8(&view, 0, dst, 99) == SPK_ERROR_DESTINATION);
  CHECK(spk_decode_tile_s8(&view, 0, dst, 0) == SPK_ERROR_DESTINATION);
  CHECK(spk_decode_tile_s8(&view, 3, dst, 49) == SPK_ERROR_DESTINATION);
  CHECK(spk_decode_tile_s8(&view, 3, dst, 50) == SPK_OK && memcmp(dst, v.raw + 300, 50) == 0);
  CHECK(spk_decode_s8(&view, dst, 349) == SPK_ERROR_DESTINATION);
  /* A larger destination than needed is left alone behind the tensor. */
  memset(dst, 0x5A, sizeof dst);
  CHECK(spk_decode_s8(&view, dst, sizeof dst) == SPK_OK && memcmp(dst, v.raw, 350) == 0);
  CHECK(dst[350] == 0x5A && dst[399] == 0x5A);
}

/* A tensor of no elements needs no destination and has no tile. */
static void test_empty(const vectors *all) {
  const vector v = find_vector(all, "dcsr_empty_in_three_dimensions.blob");
  spk_view view;
  int8_t dst[1];
  CHECK(spk_open(&view, v.data, v.size) == SPK_OK);
  CHECK(spk_dim(&view, 0) == 3 && spk_dim(&view, 1) == 0 && spk_dim(&view, 2) == 2);
  CHECK(spk_validate(&view) == SPK_OK);
  CHECK(spk_decode_s8(&view, NULL, 0) == SPK_OK);
  CHECK(spk_decode_tile_s8(&view, 0, dst, sizeof dst) == SPK_ERROR_TILE);
}

/* No function takes a view that is all zeros, and spk_open leaves one where it fails, whatever it was of before. */
static void check_no_view(const spk_view *view) {
  static const spk_view none;
  int8_t dst[256];
  CHECK(memcmp(view, &none, sizeof none) == 0);
  CHECK(spk_validate(view) == SPK_ERROR_ARGUMENT);
  CHECK(spk_decode_s8(view, dst, sizeof dst) == SPK_ERROR_ARGUMENT);
  CHECK(spk_decode_s8(view, NULL, 0) == SPK_ERROR_ARGUMENT);
  CHECK(spk_decode_tile_s8(view, 0, dst, sizeof dst) == SPK_ERROR_ARGUMENT);
  CHECK(spk_tile_elements(view, 0) == 0 && spk_dim(view, 0) == 0);
}

static void test_view_that_fails(const vectors *all) {
  const vector v = find_vector(all, "dense_tiles_of_16.blob");
  spk_view view;
  memset(&view, 0, sizeof view);
  check_no_view(&view);
  for (uint32_t i = 0; i < all->n; i++) {
    const vector damaged = get_vector(all->image, i);
    if (damaged.is_bundle || damaged.opened == SPK_OK) continue;
    check_context = damaged.name;
    CHECK(spk_open(&view, v.data, v.size) == SPK_OK);
    CHECK((int)spk_open(&view, damaged.data, damaged.size) == damaged.opened);
    check_no_view(&view);
  }
  CHECK(spk_open(&view, v.data, v.size) == SPK_OK);
  CHECK(spk_open(&view, NULL, v.size) == SPK_ERROR_ARGUMENT);
  check_no_view(&view);
}

void test_api(const vectors *all) {
  test_statuses();
  test_prune();
  test_view(all);
  test_null(all);
  test_tiles(all);
  test_empty(all);
  test_view_that_fails(all);
}
