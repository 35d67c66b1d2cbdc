/* SPDX-License-Identifier: Apache-2.0 */
/* Every vector, wherever it lies in memory, and what becomes of it with a few wrong bytes. */
#include "check_mutants.h"
#include "check_vector.h"
#include "tests.h"

enum { MUTANTS = 100 }; /* of each blob */

void test_vectors(const vectors *all) {
  for (uint32_t i = 0; i < all->n; i++) {
    const vector v = get_vector(all->image, i);
    check_vector(&v);
    check_mutants(&v, MUTANTS);
  }
}
