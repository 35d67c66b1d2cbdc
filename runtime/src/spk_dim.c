/* SPDX-License-Identifier: Apache-2.0 */
/* spk_dim: the shape, read from the header when it is asked for. */
#include "spk_internal.h"

uint32_t spk_dim(const spk_view *view, uint32_t axis) {
  return view && axis < view->n_dims ? spk_load_u32(view->blob + SPK_HEADER_SIZE + 4u * axis) : 0u;
}
