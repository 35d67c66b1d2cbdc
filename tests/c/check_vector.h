/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that has to hold for one vector. Runs on the host and on the target, where no sanitizer does. */
#ifndef CHECK_VECTOR_H
#define CHECK_VECTOR_H

#include "vector.h"

/* Reads the vector at every distance from a 16-byte boundary and once with nothing behind it: its statuses, what it
 * decodes to, whole and tile by tile, and that nothing around the destination is written. */
void check_vector(const vector *v);

#endif
