/* SPDX-License-Identifier: Apache-2.0 */
/* What spk_tflm_prune_s8 is measured against: the loop that TensorFlow Lite Micro decodes PRUNE tensors with. */
#ifndef BIT_LOOP_H
#define BIT_LOOP_H

#include <stddef.h>
#include <stdint.h>

/* n elements, a bit each, most significant first: 1 takes the next value, 0 gives zero_point. Checks nothing. */
void bit_loop(int8_t *dst, size_t n, const uint8_t *bitmap, const int8_t *values, int8_t zero_point);

#endif
