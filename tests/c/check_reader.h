/* SPDX-License-Identifier: Apache-2.0 */
/* What spk_reader has to do with one vector. Runs on the host and on the target. */
#ifndef CHECK_READER_H
#define CHECK_READER_H

#include "vector.h"

/* Reads the vector through a function, with a window that holds all of it, with one that holds just what is needed, and
 * with one that is 4 bytes smaller; then with a function that fails, at so many of its calls. Whatever spk_open and
 * its like say of the same bytes, spk_reader has to say, and what is decoded is the same. */
void check_reader(const vector *v, uint32_t most_failures);

#endif
