/* SPDX-License-Identifier: Apache-2.0 */
/* The algorithm of DecodeStatePrune in tensorflow/tflite-micro (decode_state_prune.cc, commit 0596e39), in C: each
 * element finds its bit by its number.
 */
#include "bit_loop.h"

void bit_loop(int8_t *dst, size_t n, const uint8_t *bitmap, const int8_t *values, int8_t zero_point) {
  for (size_t i = 0; i < n; i++) {
    const unsigned set = bitmap[i / 8u] >> (7u - i % 8u) & 1u;
    dst[i] = set ? *values++ : zero_point;
  }
}
