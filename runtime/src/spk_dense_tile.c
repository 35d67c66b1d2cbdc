/* SPDX-License-Identifier: Apache-2.0 */
/* spk_dense_tile_s8: the payload of a dense blob is the weights themselves. docs/format.md, section 3. */
#include "spk_internal.h"

const int8_t *spk_dense_tile_s8(const spk_view *view, uint32_t tile) {
  if (!view || !view->blob || view->format != SPK_FORMAT_DENSE || (view->flags & SPK_TRANSFORMED) != 0) return NULL;
  spk_tile found;
  if (spk_find_tile(view, tile, &found) != SPK_OK || found.size < found.n) return NULL;
  return (const int8_t *)found.data;
}
