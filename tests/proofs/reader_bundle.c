/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of a reader with a bundle, of any bytes. spk_fetch looks at every offset itself, as reader.c proves;
 * spk_reader_open and spk_reader_validate have proofs of their own. PART: 0 spk_reader_get, 1 spk_reader_find, 2
 * spk_reader_validate_bundle; all after spk_reader_open_bundle. */
#include "reader.h"

enum { MOST_NAME = 3 };
static size_t model_length(const char *name) { return (void)name, MOST_NAME; }
#define strlen model_length

spk_status spk_fetch(const spk_reader *reader, uint32_t offset, void *dst, uint32_t n) {
  if (offset > reader->size || n > reader->size - offset) return SPK_ERROR_TRUNCATED;
  __CPROVER_assert(n == 0 || __CPROVER_w_ok(dst, n), "there is room for what is read");
  return (spk_status)(nondet_any() % 15u);
}
uint32_t spk_crc32(uint32_t crc, const uint8_t *data, size_t size) {
  __CPROVER_assert(size == 0 || __CPROVER_r_ok(data, size), "what is summed up is there");
  (void)crc;
  return (uint32_t)nondet_any();
}
static uint8_t byte;
spk_status spk_reader_open(spk_reader *reader, uint32_t offset, uint32_t blob_size) {
  __CPROVER_assert(offset <= reader->size && blob_size <= reader->size - offset, "the blob is in the file");
  reader->view.blob = NULL;
  if (nondet_any() & 1u) return SPK_ERROR_HEADER;
  reader->view.blob = &byte;
  return SPK_OK;
}
spk_status spk_reader_validate(spk_reader *reader) {
  __CPROVER_assert(reader->view.blob != NULL, "it was opened");
  return (spk_status)(nondet_any() % 15u);
}

#include "spk_reader_bundle.c"

int main(void) {
  spk_reader r;
  ANY(r.size), ANY(r.is_bundle);
  r.read = read_some;
  if (spk_reader_open_bundle(&r) != SPK_OK) {
    __CPROVER_assert(!r.is_bundle && r.n_tensors == 0, "no bundle is open");
    return 0;
  }
  __CPROVER_assert(24u + (uint64_t)8u * r.n_tensors + r.names_size <= r.size, "table and names are in the file");
#if PART == 0
  const spk_status status = spk_reader_get(&r, (uint32_t)nondet_any());
  REACHED(status == SPK_OK && r.n_tensors > 1u);
#elif PART == 1
  char name[MOST_NAME + 1];
  name[MOST_NAME] = 0;
  const spk_status status = spk_reader_find(&r, name);
  REACHED(status == SPK_OK);
#else
  const spk_status status = spk_reader_validate_bundle(&r);
  REACHED(status == SPK_OK && r.n_tensors > 0);
#endif
  return 0;
}
