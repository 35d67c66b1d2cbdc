/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of spk.h for bundles: arguments and what is found. The vectors cover the bytes. */
#include <string.h>

#include "check.h"
#include "find_vector.h"
#include "spk.h"
#include "tests.h"

static void test_null(const vector *v) {
  spk_bundle bundle;
  spk_view view;
  CHECK(spk_bundle_open(NULL, v->data, v->size) == SPK_ERROR_ARGUMENT);
  CHECK(spk_bundle_open(&bundle, NULL, v->size) == SPK_ERROR_ARGUMENT);
  CHECK(spk_bundle_open(&bundle, v->data, v->size) == SPK_OK);
  CHECK(spk_bundle_validate(NULL) == SPK_ERROR_ARGUMENT);
  CHECK(spk_bundle_get(NULL, 0, NULL, &view) == SPK_ERROR_ARGUMENT);
  CHECK(spk_bundle_get(&bundle, 0, NULL, NULL) == SPK_ERROR_ARGUMENT);
  CHECK(spk_bundle_find(NULL, "", &view) == SPK_ERROR_ARGUMENT);
  CHECK(spk_bundle_find(&bundle, NULL, &view) == SPK_ERROR_ARGUMENT);
  CHECK(spk_bundle_find(&bundle, "", NULL) == SPK_ERROR_ARGUMENT);
}

static void test_lookup(const vector *v) {
  spk_bundle bundle;
  spk_view view, found;
  const char *name;
  CHECK(spk_bundle_open(&bundle, v->data, v->size) == SPK_OK);
  CHECK(bundle.n_tensors == 41);
  CHECK(spk_bundle_get(&bundle, 40, &name, &view) == SPK_OK);
  CHECK(strcmp(name, "length_40") == 0 && view.n_elements == 40);
  CHECK((const uint8_t *)name > v->data && (const uint8_t *)name < v->data + v->size);
  CHECK(spk_bundle_get(&bundle, 40, NULL, &view) == SPK_OK);
  CHECK(spk_bundle_find(&bundle, "length_40", &found) == SPK_OK && found.blob == view.blob);
  /* Not what starts alike. */
  CHECK(spk_bundle_find(&bundle, "length_", &view) == SPK_ERROR_NOT_FOUND);
  CHECK(spk_bundle_find(&bundle, "length_400", &view) == SPK_ERROR_NOT_FOUND);
  CHECK(spk_bundle_find(&bundle, "", &view) == SPK_ERROR_NOT_FOUND);
  CHECK(spk_bundle_get(&bundle, 41, &name, &view) == SPK_ERROR_NOT_FOUND);
  CHECK(spk_bundle_get(&bundle, UINT32_MAX, &name, &view) == SPK_ERROR_NOT_FOUND);
}

/* A view is cleared where there is no tensor, and a bundle where there is none. */
static void test_nothing_remains(const vector *v) {
  static const spk_view none;
  static const spk_bundle no_bundle;
  spk_bundle bundle;
  spk_view view;
  const char *name = "";
  CHECK(spk_bundle_open(&bundle, v->data, v->size) == SPK_OK);
  CHECK(spk_bundle_get(&bundle, 0, NULL, &view) == SPK_OK && view.blob != NULL);
  CHECK(spk_bundle_get(&bundle, 41, &name, &view) == SPK_ERROR_NOT_FOUND && name == NULL);
  CHECK(memcmp(&view, &none, sizeof none) == 0);
  CHECK(spk_bundle_get(&bundle, 0, NULL, &view) == SPK_OK);
  CHECK(spk_bundle_find(&bundle, "length_400", &view) == SPK_ERROR_NOT_FOUND);
  CHECK(memcmp(&view, &none, sizeof none) == 0);
  CHECK(spk_bundle_get(&bundle, 0, NULL, &view) == SPK_OK);
  CHECK(spk_bundle_find(&bundle, NULL, &view) == SPK_ERROR_ARGUMENT && view.blob == NULL);
  CHECK(spk_bundle_open(&bundle, v->data, v->size - 1) == SPK_ERROR_TRUNCATED);
  CHECK(memcmp(&bundle, &no_bundle, sizeof no_bundle) == 0);
  CHECK(spk_bundle_validate(&bundle) == SPK_ERROR_ARGUMENT);
  CHECK(spk_bundle_get(&bundle, 0, NULL, &view) == SPK_ERROR_ARGUMENT);
  CHECK(spk_bundle_find(&bundle, "length_40", &view) == SPK_ERROR_ARGUMENT);
}

/* One broken tensor does not hide the others. */
static void test_broken_neighbour(const vector *v) {
  spk_bundle bundle;
  spk_view view;
  CHECK(spk_bundle_open(&bundle, v->data, v->size) == SPK_OK);
  CHECK(spk_bundle_get(&bundle, 1, NULL, &view) == SPK_OK);
  const char *name = "";
  CHECK(spk_bundle_get(&bundle, 0, &name, &view) == SPK_ERROR_HEADER && view.blob == NULL && name == NULL);
  CHECK(spk_bundle_find(&bundle, "conv/w", &view) == SPK_OK && view.n_elements == 40);
  CHECK(spk_bundle_find(&bundle, "a", &view) != SPK_OK);
}

/* By number, or by a name of which only the CRC-32 is there. */
static void test_without_names(const vector *v, const vector *with) {
  spk_bundle bundle, named;
  spk_view view, found;
  const char *name;
  CHECK(spk_bundle_open(&bundle, v->data, v->size) == SPK_OK && spk_bundle_validate(&bundle) == SPK_OK);
  CHECK(spk_bundle_open(&named, with->data, with->size) == SPK_OK);
  CHECK(bundle.n_tensors == named.n_tensors && bundle.size < named.size);
  for (uint32_t i = 0; i < named.n_tensors; i++) {
    CHECK(spk_bundle_get(&named, i, &name, &view) == SPK_OK);
    CHECK(spk_bundle_find(&bundle, name, &found) == SPK_OK);
    CHECK(spk_bundle_get(&bundle, i, &name, &view) == SPK_OK && name == NULL);
    CHECK(found.blob == view.blob);
  }
  CHECK(spk_bundle_find(&bundle, "no such tensor", &view) == SPK_ERROR_NOT_FOUND);
}

void test_bundle_api(const vectors *all) {
  const vector lengths = find_vector(all, "dense_lengths.spk");
  test_null(&lengths);
  test_lookup(&lengths);
  test_nothing_remains(&lengths);
  const vector broken = find_vector(all, "bundle_blob_outside.spk");
  test_broken_neighbour(&broken);
  const vector mixed = find_vector(all, "bundle_mixed.spk");
  const vector nameless = find_vector(all, "bundle_without_names.spk");
  test_without_names(&nameless, &mixed);
}
