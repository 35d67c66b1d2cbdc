/* SPDX-License-Identifier: Apache-2.0 */
/* All tests of the C runtime on the host:  tests IMAGE */
#include "tests.h"

int main(int argc, char **argv) {
  vectors all = load_vectors(argc, argv);
  test_api(&all);
  test_bundle_api(&all);
  test_equal_hashes(&all);
  test_far();
  test_vectors(&all);
  test_truncation(&all);
  test_overlap(&all);
  test_in_place(&all);
  test_reader(&all);
  return finish(&all);
}
