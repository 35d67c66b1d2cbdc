/* SPDX-License-Identifier: Apache-2.0 */
/* dense: a tile of any bytes, decoded or validated. */
#include "spk_dense.c"
#include "tile.h"

DECODE_OR_VALIDATE(dense)
