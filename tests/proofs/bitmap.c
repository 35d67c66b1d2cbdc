/* SPDX-License-Identifier: Apache-2.0 */
/* bitmap: a whole tile of exactly SIZE bytes and N elements; nothing is cut. */
#include "spk_bitmap.c"
#include "spk_tflm_prune_s8.c"
#include "tile.h"

DECODE_OR_VALIDATE(bitmap)
