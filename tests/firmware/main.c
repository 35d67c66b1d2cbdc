/* SPDX-License-Identifier: Apache-2.0 */
/* All vectors on the target: the checks of ../c/check_vector.h and ../c/check_mutants.h, as the host runs them. The
 * last line says what ran, and a digest in which all builds have to agree.
 */
#include "check.h"
#include "check_in_place.h"
#include "check_mutants.h"
#include "check_reader.h"
#include "check_vector.h"
#include "memory.h"
#include "semihosting.h"
#include "startup.h"
#include "walls.h"

enum { MUTANTS = 20, FAILURES = 4, MAX_REPORTS = 10, MAX_IMAGE_SIZE = 2 << 20 };

extern const uint8_t image[]; /* where the Makefile has QEMU load it */

unsigned n_checks, n_failures;
const char *check_context = "";

bool check(bool holds, const char *condition, const char *file, int line) {
  n_checks++;
  if (holds) return true;
  if (++n_failures > MAX_REPORTS) return false;
  print(file);
  print(":");
  print_unsigned((uint32_t)line);
  print(": failed: ");
  print(condition);
  print(" [");
  print(check_context);
  print("]\n");
  return false;
}

/* What the checks rely on: that a step too far is a fault. */
static void check_machine(void) {
  check_context = "machine";
  for (int use = SOURCE; use <= DESTINATION; use++) {
    const uint8_t *last = lend_tight((memory_use)use, 1);
    CHECK(!byte_faults(last) && byte_faults(last + 1));
  }
#if defined(__xtensa__) || (defined(__arm__) && !defined(__ARM_FEATURE_UNALIGNED))
  const uintptr_t aligned = (uintptr_t)image;
  CHECK(!word_faults((const uint32_t *)aligned) && word_faults((const uint32_t *)(aligned + 1)));
#endif
}

int main(void) {
  build_walls();
  check_machine();
  const uint32_t n = n_vectors(image, MAX_IMAGE_SIZE);
  CHECK(n != 0);
  for (uint32_t i = 0; i < n; i++) {
    const vector v = get_vector(image, i);
    check_vector(&v);
    check_mutants(&v, MUTANTS);
    check_in_place(&v);
    check_reader(&v, FAILURES);
  }
  print_unsigned(n);
  print(" vectors, ");
  print_unsigned(n_checks);
  print(" checks, ");
  print_unsigned(n_failures);
  print(" failures, digest ");
  print_hex(mutants_digest());
  print("\n");
  return n_failures == 0 ? 0 : 1;
}
