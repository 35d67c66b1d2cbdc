/* SPDX-License-Identifier: Apache-2.0 */
/* spk.h as a C++ program sees it, from C++98 on: it compiles without a warning, and its functions link as C. */

#include <cstring>

#include "spk_reader.h" /* and with it spk.h */

int main() {
  spk_view view;
  spk_bundle bundle;
  const char blob[] = "RIFF";
  const bool opened = spk_open(&view, blob, 4) == SPK_OK || spk_bundle_open(&bundle, blob, 4) == SPK_OK;
  return !opened && std::strcmp(spk_status_name(SPK_OK), "ok") == 0 ? 0 : 1;
}
