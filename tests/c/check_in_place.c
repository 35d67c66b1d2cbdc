/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of spk_decode_in_place_s8 for one vector. */
#include "check_in_place.h"

#include <string.h>

#include "check.h"
#include "memory.h"
#include "spk.h"

void check_in_place(const vector *v) {
  spk_view view;
  size_t margin = 0;
  if (!v->is_valid || v->is_bundle || v->raw_size == 0) return;
  check_context = v->name;
  if (!CHECK(spk_open(&view, v->data, v->size) == SPK_OK && spk_in_place_margin(&view, &margin) == SPK_OK)) return;
  CHECK(margin <= v->size && (view.n_tiles > 1 || margin == v->size));
  const size_t n = v->raw_size, whole = margin + n;
  CHECK(whole >= v->size);
  uint8_t *const buffer = lend_tight(DESTINATION, whole);
  if (!CHECK(buffer != NULL)) return;
  int8_t *const dst = (int8_t *)buffer + margin;
  memcpy(buffer, v->data, v->size);
  CHECK(spk_open(&view, buffer, v->size) == SPK_OK && spk_validate(&view) == SPK_OK);
  CHECK(spk_decode_in_place_s8(&view, dst, n - 1) == SPK_ERROR_DESTINATION);
  for (size_t less = 1; less <= margin; less += less) {
    CHECK(spk_decode_in_place_s8(&view, dst - less, n) == SPK_ERROR_ARGUMENT);
  }
  CHECK(memcmp(buffer, v->data, v->size) == 0); /* nothing was written */
  CHECK(spk_decode_in_place_s8(&view, dst, n) == SPK_OK && memcmp(dst, v->raw, n) == 0);
  give_back(DESTINATION);
  check_context = "";
}
