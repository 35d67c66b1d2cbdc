/* SPDX-License-Identifier: Apache-2.0 */
/* spk_dim: the shape, read from the header when it is asked for. */
#include "spk_internal.h"

uint32_t spk_dim(const spk_view *view, uint32_t axis) {
  if (!view || axis >= view->n_dims) return 0;
  uint32_t extent = 0;
  const uint8_t *p = view->blob + SPK_HEADER_SIZE;
  for (uint32_t i = 0; i <= axis && p; i++) p = spk_read_varint(p, view->payload, &extent);
  return extent;
}
