/* SPDX-License-Identifier: Apache-2.0 */
/* How many bytes all planes of n values of so many bits take, with their alignment. */
#ifndef BITMAP_PLANES_H
#define BITMAP_PLANES_H

#include "spk_bitmap.h"

static uint32_t size_of_planes(uint32_t n, uint32_t width) {
  return ((width & 4u) != 0 ? spk_bitmap_plane_size(n, 4) : 0) + ((width & 2u) != 0 ? spk_bitmap_plane_size(n, 2) : 0) +
         ((width & 1u) != 0 ? spk_bitmap_plane_size(n, 1) : 0);
}

#endif
