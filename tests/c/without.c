/* SPDX-License-Identifier: Apache-2.0 */
/* For a runtime that was compiled with SPK_WITHOUT_<FORMAT> or SPK_WITHOUT_TRANSFORMS: the blobs of that format, or
 * with transforms, are refused by that name, all others are what they always are.  without IMAGE
 */
#include "check.h"
#include "check_vector.h"
#include "host.h"
#include "spk.h"

/* Where no element of n is live there is nothing for a format to decode. */
static bool has_parts(const spk_view *view, const vector *v, uint32_t n) {
  if (!(view->flags & SPK_FLAG_LIVE)) return n != 0;
  for (uint32_t i = 0; i < n; i++) {
    if (v->raw[i] != 0) return true;
  }
  return false;
}

static bool is_left_out(const spk_view *view) {
#ifdef SPK_WITHOUT_TRANSFORMS
  if (view->flags & (SPK_FLAG_LIVE | SPK_FLAG_PREDICTED)) return true;
#endif
  switch (view->format) {
#define PRESENT(name, NAME, id) SPK_IF_##NAME(case id:)
    SPK_FORMATS(PRESENT)
#undef PRESENT
    return false;
    default:
      return true;
  }
}

int main(int argc, char **argv) {
  vectors all = load_vectors(argc, argv);
  unsigned n_left_out = 0;
  for (uint32_t i = 0; i < all.n; i++) {
    const vector v = get_vector(all.image, i);
    spk_view view;
    if (!v.is_valid || v.is_bundle || spk_open(&view, v.data, v.size) != SPK_OK) continue;
    if (!is_left_out(&view)) {
      check_vector(&v);
    } else if (has_parts(&view, &v, view.n_elements)) {
      static int8_t dst[1 << 16];
      n_left_out++;
      check_context = v.name;
      CHECK(spk_validate(&view) == SPK_ERROR_UNSUPPORTED);
      CHECK(spk_decode_s8(&view, dst, sizeof dst) == SPK_ERROR_UNSUPPORTED);
      if (!has_parts(&view, &v, spk_tile_elements(&view, 0))) continue;
      CHECK(spk_decode_tile_s8(&view, 0, dst, sizeof dst) == SPK_ERROR_UNSUPPORTED);
    }
  }
  CHECK(n_left_out != 0);
  return finish(&all);
}
