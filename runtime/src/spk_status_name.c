/* SPDX-License-Identifier: Apache-2.0 */
/* spk_status_name: the names of spec/spec.toml. */
#include "spk_internal.h"

const char *spk_status_name(spk_status status) {
  switch ((int)status) {
#define NAME(enumerator, name) \
  case enumerator:             \
    return name;
    SPK_STATUSES(NAME)
#undef NAME
    default:
      return "unknown";
  }
}
