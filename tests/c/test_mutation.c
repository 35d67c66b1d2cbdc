/* Valid blobs with a few wrong bytes and a right CRC-32. Whatever they say now, nothing may crash, and the promise of
 * spk_validate has to hold. Sanitizers watch the ends of every block; ../fuzz goes much further.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "repair.h"
#include "spk.h"
#include "tests.h"
#include "vector.h"

enum { MAX_SIZE = 2048, MUTATIONS = 100, MAX_CHANGES = 4, MAX_ELEMENTS = 1 << 16 };

static uint32_t random_u32(void) {
  static uint32_t state = 1;
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

/* Bytes that limits are made of, or any other. */
static uint8_t random_byte(void) {
  static const uint8_t special[] = {0, 1, 15, 16, 127, 128, 254, 255};
  const uint32_t r = random_u32();
  return (uint8_t)(r % 4 == 0 ? special[r / 4 % sizeof special] : r >> 8);
}

static void mutate(uint8_t *blob, uint32_t size) {
  for (uint32_t left = random_u32() % MAX_CHANGES + 1; left != 0; left--) {
    /* Behind the magic and the version; one in 16 in the header, which is soon refused. */
    const uint32_t begin = random_u32() % 16 == 0 || size <= 48 ? 5 : 48;
    if (size <= begin) continue;
    const uint32_t where = begin + random_u32() % (size - begin);
    blob[where] = random_byte();
  }
  seal_blob(blob, size);
}

static void check_tiles(const spk_view *view, const int8_t *whole, bool valid) {
  for (uint32_t tile = 0; tile < view->n_tiles; tile++) {
    const uint32_t n = spk_tile_elements(view, tile);
    int8_t *part = malloc(n);
    if (!part) abort();
    const spk_status status = spk_decode_tile_s8(view, tile, part, n);
    if (valid) CHECK(status == SPK_OK && memcmp(part, whole + (size_t)tile * view->tile_size, n) == 0);
    free(part);
  }
}

static void check_mutant(const uint8_t *blob, uint32_t size) {
  spk_view view;
  if (spk_open(&view, blob, size) != SPK_OK || view.n_elements > MAX_ELEMENTS) return;
  const bool valid = spk_validate(&view) == SPK_OK;
  int8_t *whole = malloc(view.n_elements ? view.n_elements : 1);
  if (!whole) abort();
  const spk_status status = spk_decode_s8(&view, whole, view.n_elements);
  CHECK(!valid || status == SPK_OK);
  check_tiles(&view, whole, valid);
  free(whole);
}

void test_mutation(const vectors *all) {
  for (uint32_t i = 0; i < all->n; i++) {
    const vector v = get_vector(all->image, i);
    if (v.is_bundle || !v.is_valid || v.size > MAX_SIZE) continue;
    check_context = v.name;
    uint8_t *blob = malloc(v.size);
    if (!blob) abort();
    for (int mutation = 0; mutation < MUTATIONS; mutation++) {
      memcpy(blob, v.data, v.size);
      mutate(blob, v.size);
      check_mutant(blob, v.size);
    }
    free(blob);
  }
}
