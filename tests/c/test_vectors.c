/* Every vector, wherever it lies in memory. */
#include "check_vector.h"
#include "tests.h"

void test_vectors(const vectors *all) {
  for (uint32_t i = 0; i < all->n; i++) {
    const vector v = get_vector(all->image, i);
    check_vector(&v);
  }
}
