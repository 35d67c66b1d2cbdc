/* SPDX-License-Identifier: Apache-2.0 */
/* rle: a tile of any bytes, decoded or validated. */
#include "spk_rle.c"
#include "tile.h"

DECODE_OR_VALIDATE(rle)
