/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests that need a blob or a bundle of a certain kind rather than all of them. */
#ifndef FIND_VECTOR_H
#define FIND_VECTOR_H

#include "host.h"
#include "vector.h"

/* The vector of that file name. One that does not exist is a failed check, and empty. */
vector find_vector(const vectors *all, const char *name);

#endif
