/* SPDX-License-Identifier: Apache-2.0 */
/* psr: a tile of any bytes, decoded or validated. */
#include "spk_psr.c"
#include "tile.h"

DECODE_OR_VALIDATE(psr)
