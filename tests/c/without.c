/* For a runtime that was compiled with SPK_WITHOUT_<FORMAT>: the blobs of that format are refused by that name, all
 * others are what they always are.  without IMAGE
 */
#include "check.h"
#include "check_vector.h"
#include "host.h"
#include "spk.h"

static bool is_left_out(uint8_t format) {
  switch (format) {
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
    if (!is_left_out(view.format)) {
      check_vector(&v);
    } else if (view.n_elements != 0) {
      static int8_t dst[1 << 16];
      n_left_out++;
      check_context = v.name;
      CHECK(spk_validate(&view) == SPK_ERROR_UNSUPPORTED);
      CHECK(spk_decode_s8(&view, dst, sizeof dst) == SPK_ERROR_UNSUPPORTED);
      CHECK(spk_decode_tile_s8(&view, 0, dst, sizeof dst) == SPK_ERROR_UNSUPPORTED);
    }
  }
  CHECK(n_left_out != 0);
  return finish(&all);
}
