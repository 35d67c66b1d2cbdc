/* SPDX-License-Identifier: Apache-2.0 */
/* The streams of a rans tile from one of its blocks on, of the kind that FLAGS, VALUE_RAW and GAP_RAW say: what
 * rans_open.c proves of them. n_records: blocks that are left. */
#ifndef RANS_KIND_H
#define RANS_KIND_H

#include "model.h"
#include "spk_rans.h"

#ifndef DECODES
#define DECODES 1
#endif

static spk_rans_streams streams_of_kind(uint32_t n_records) {
  spk_rans_streams s;
  uint32_t n_bytes;
  ANY(n_bytes), ANY(s.value_bytes_left), ANY(s.gap_bytes_left), ANY(s.n_values), ANY(s.n_gaps), ANY(s.jump);
#ifdef VALUE_RAW
  s.value_raw = VALUE_RAW, s.gap_raw = GAP_RAW;
#endif
  s.block_size = FLAGS & 1 ? 32760u : 65520u;
  s.end_bytes = FLAGS & 2 ? 2u : 1u;
  s.size_bytes = FLAGS & 4 ? 2u : 1u;
  s.record_size = 18u + 8u * (s.end_bytes + s.size_bytes);
  __CPROVER_assume(s.n_gaps >= 1u && s.n_gaps <= 255u && s.n_values <= 256u && s.jump <= 15u);
  __CPROVER_assume(n_bytes <= MOST && s.value_bytes_left <= MOST && s.gap_bytes_left <= MOST);
  s.record = malloc((size_t)n_records * s.record_size);
  s.bytes = malloc(n_bytes);
  s.bytes_end = s.bytes + n_bytes;
  s.value_bits = malloc(s.value_bytes_left);
  s.gap_bits = malloc(s.gap_bytes_left);
  return s;
}

#endif
