/* SPDX-License-Identifier: Apache-2.0 */
/* The vectors of ../vectors, from the image that ../vectors/image.py builds and describes. */
#ifndef VECTOR_H
#define VECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NOT_REACHED = 255 };

typedef struct vector {
  const char *name; /* of its file */
  const uint8_t *data;
  uint32_t size;
  const uint8_t *raw; /* What data decodes to. Of a bundle, for each tensor: its name, a zero byte, its elements. */
  uint32_t raw_size;
  bool is_bundle;
  bool is_valid;
  int opened, validated, decoded; /* expected spk_status, or NOT_REACHED */
} vector;

/* Number of vectors in an image; 0 when it is none. */
uint32_t n_vectors(const uint8_t *image, size_t size);

vector get_vector(const uint8_t *image, uint32_t i);

#endif
