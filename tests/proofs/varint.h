/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in for spk_read_varint: varint.c proves that it needs no more than what is asked here. */
#ifndef VARINT_H
#define VARINT_H

#include "model.h"
#include "spk_internal.h"

const uint8_t *spk_read_varint(const uint8_t *p, const uint8_t *end, uint32_t *value) {
  __CPROVER_assert(__CPROVER_same_object(p, end) && p <= end, "a varint is read from a place before the end");
  __CPROVER_assert(p == end || __CPROVER_r_ok(p, (size_t)(end - p)), "the bytes up to the end are there");
  size_t size;
  ANY(size), ANY(*value);
  return size >= 1u && size <= 5u && size <= (size_t)(end - p) ? p + size : NULL;
}

#endif
