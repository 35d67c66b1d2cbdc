/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of bundles, on a file of any bytes. spk_open, spk_validate and spk_crc32 have proofs of their own,
 * which promise that they need no more than what is asked here. PART: 0 spk_bundle_get, 1 spk_bundle_find, 2
 * spk_bundle_validate; all after spk_bundle_open. */
#include "model.h"
#include "spk_internal.h"

uint32_t spk_crc32(uint32_t crc, const uint8_t *data, size_t size) {
  __CPROVER_assert(size == 0 || __CPROVER_r_ok(data, size), "what is summed up is there");
  (void)crc;
  return (uint32_t)nondet_any();
}
spk_status spk_open(spk_view *view, const void *blob, size_t size) {
  __CPROVER_assert(size == 0 || __CPROVER_r_ok(blob, size), "the blob is in the file");
  view->blob = NULL;
  if (nondet_any() & 1u) return SPK_ERROR_HEADER;
  view->blob = (const uint8_t *)blob;
  return SPK_OK;
}
spk_status spk_validate(const spk_view *view) {
  __CPROVER_assert(view->blob != NULL, "it was opened");
  return (spk_status)(nondet_any() % 13u);
}

/* The first zero byte: anywhere, or nowhere. */
static const char *last_zero;
static void *model_find(const void *text, int byte, size_t n) {
  __CPROVER_assert(byte == 0 && (n == 0 || __CPROVER_r_ok(text, n)), "names are searched inside the file");
  size_t at;
  ANY(at);
  if (at >= n) return NULL;
  last_zero = (const char *)text + at;
  return (void *)last_zero;
}
#define memchr model_find
enum { MOST_NAME = 3 };
static size_t model_length(const char *name) { return (void)name, MOST_NAME; }
#define strlen model_length
static int model_compare(const char *stored, const char *name) {
  (void)name;
  __CPROVER_assert(__CPROVER_same_object(stored, last_zero) && stored <= last_zero, "a name ends with a zero byte");
  return (int)nondet_any();
}
#define strcmp model_compare

#include "spk_bundle.c"

int main(void) {
  size_t size;
  ANY(size);
  __CPROVER_assume(size <= MOST);
  const uint8_t *file = malloc(size);
  spk_bundle bundle;
  spk_view view;
  if (spk_bundle_open(&bundle, file, size) != SPK_OK) {
    __CPROVER_assert(bundle.data == NULL, "the bundle is cleared");
    return 0;
  }
#if PART == 0
  uint32_t i;
  const char *name;
  ANY(i);
  const spk_status status = spk_bundle_get(&bundle, i, nondet_any() & 1u ? &name : NULL, &view);
  REACHED(status == SPK_OK && i > 0);
#elif PART == 1
  const char name[MOST_NAME + 1] = "abc";
  const spk_status status = spk_bundle_find(&bundle, name, &view);
  REACHED(status == SPK_OK);
#else
  const spk_status status = spk_bundle_validate(&bundle);
  REACHED(status == SPK_OK && bundle.n_tensors > 0);
#endif
  return 0;
}
