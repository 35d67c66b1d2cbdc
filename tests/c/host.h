/* SPDX-License-Identifier: Apache-2.0 */
/* What test programs on the host share: the image of vectors, and check.h and memory.h with stdio and the heap. */
#ifndef HOST_H
#define HOST_H

#include <stdint.h>

typedef struct vectors {
  const uint8_t *image;
  uint32_t n;
} vectors;

/* The image that is the only argument of the program. Ends the program, with a message, where it cannot be read. */
vectors load_vectors(int argc, char **argv);

/* Prints what ran; the exit code of the program. Releases the image. */
int finish(vectors *all);

#endif
