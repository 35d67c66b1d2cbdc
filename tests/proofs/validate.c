/* SPDX-License-Identifier: Apache-2.0 */
/* spk_validate of any opened view: what the checksum and every format are called with. The loop over tiles is taken for
 * one of them; the comparison after it looks at the place of the last tile, and follows no pointer. */
#include "spk_transforms.h"
#include "view.h"

uint32_t spk_crc32(uint32_t crc, const uint8_t *data, size_t size) {
  __CPROVER_assert(size == 0 || __CPROVER_r_ok(data, size), "what is summed up is there");
  (void)crc;
  return (uint32_t)nondet_any();
}
#define STUB(name, NAME, id)                                                                                      \
  spk_status spk_##name##_validate(const spk_tile *tile) {                                                        \
    __CPROVER_assert(tile->size == 0 || __CPROVER_r_ok(tile->data, tile->size), "the bytes of a tile are there"); \
    __CPROVER_assert(tile->size % 4u == 0 && tile->n >= 1u, "they are whole words, of elements");                 \
    return (spk_status)(nondet_any() % 13u);                                                                      \
  }
SPK_FORMATS(STUB)

#include "spk_tile.c"
#include "spk_validate.c"

spk_status spk_validate_transformed(const spk_view *view, uint32_t i, const spk_tile *tile, spk_pass *pass) {
  __CPROVER_assert(i < view->n_tiles && __CPROVER_w_ok(pass, sizeof *pass), "there is such a tile");
  __CPROVER_assert(tile->size == 0 || __CPROVER_r_ok(tile->data, tile->size), "its bytes are there");
  return (spk_status)(nondet_any() % 13u);
}

int main(void) {
  const spk_view v = any_view(), cleared = {0};
  REACHED(spk_validate(&v) == SPK_OK && v.n_tiles > 1u);
  __CPROVER_assert(spk_validate(&cleared) == SPK_ERROR_ARGUMENT, "a cleared view is not valid");
  return 0;
}
