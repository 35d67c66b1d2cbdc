/* SPDX-License-Identifier: Apache-2.0 */
/* dense: the values as they are. docs/format.md, section 3. */
#include "spk_internal.h"

#ifndef SPK_WITHOUT_DENSE

spk_status spk_dense_decode(const spk_tile *tile, int8_t *dst) {
  if (tile->size < tile->n) return SPK_ERROR_STREAM;
  memcpy(dst, tile->data, tile->n);
  return SPK_OK;
}

spk_status spk_dense_validate(const spk_tile *tile) {
  return spk_ends(tile->n, tile->size) ? SPK_OK : SPK_ERROR_STREAM;
}

#endif
