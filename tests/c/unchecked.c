/* SPDX-License-Identifier: Apache-2.0 */
/* For a runtime that was compiled with bench/m55/unchecked.h, where a decoder that refuses bytes is taken to be a place
 * that cannot be reached: every valid blob decodes to what it should. A `false` that means no refusal shows here.
 * unchecked IMAGE
 */
#include <string.h>

#include "check.h"
#include "host.h"
#include "spk.h"
#include "vector.h"

int main(int argc, char **argv) {
  vectors all = load_vectors(argc, argv);
  unsigned n_decoded = 0;
  for (uint32_t i = 0; i < all.n; i++) {
    const vector v = get_vector(all.image, i);
    static int8_t dst[1 << 16];
    spk_view view;
    if (!v.is_valid || v.is_bundle || spk_open(&view, v.data, v.size) != SPK_OK) continue;
    check_context = v.name;
    memset(dst, 1, sizeof dst);
    CHECK(spk_decode_s8(&view, dst, sizeof dst) == SPK_OK);
    CHECK(memcmp(dst, v.raw, view.n_elements) == 0);
    n_decoded++;
  }
  CHECK(n_decoded != 0);
  return finish(&all);
}
