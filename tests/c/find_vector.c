/* SPDX-License-Identifier: Apache-2.0 */
/* Looks a vector up by its file name. */
#include "find_vector.h"

#include <string.h>

#include "check.h"

vector find_vector(const vectors *all, const char *name) {
  static const vector none = {"", (const uint8_t *)"", 0, (const uint8_t *)"", 0, false, false, 0, 0, 0};
  vector found = none;
  check_context = name;
  for (uint32_t i = 0; i < all->n; i++) {
    const vector v = get_vector(all->image, i);
    if (strcmp(v.name, name) == 0) found = v;
  }
  CHECK(found.size != 0);
  return found;
}
