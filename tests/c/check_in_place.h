/* SPDX-License-Identifier: Apache-2.0 */
/* What unpacking in place has to do with one vector. Runs on the host and on the target. */
#ifndef CHECK_IN_PLACE_H
#define CHECK_IN_PLACE_H

#include "vector.h"

/* Unpacks a valid blob over itself in a buffer that is as small as can be, and has it refused in any smaller one. Does
 * nothing with other vectors. */
void check_in_place(const vector *v);

#endif
