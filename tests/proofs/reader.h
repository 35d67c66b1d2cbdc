/* SPDX-License-Identifier: Apache-2.0 */
/* The function that a reader's bytes come from: it is asked for bytes that are there, and has room for them. What it
 * reads is whatever the memory of the proof holds, which is anything. */
#ifndef READER_H
#define READER_H

#include "model.h"
#include "spk_fetch.h"

static uint32_t readable;

static int read_some(void *context, uint32_t offset, void *dst, uint32_t n) {
  (void)context;
  __CPROVER_assert(offset <= readable && n <= readable - offset, "such bytes can be read");
  __CPROVER_assert(n >= 1u && __CPROVER_w_ok(dst, n), "there is room for them");
  return (int)(nondet_any() & 1u);
}

#endif
