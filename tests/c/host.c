/* SPDX-License-Identifier: Apache-2.0 */
/* The host: reports by stdio, loans from the heap, vectors from a file. */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "memory.h"
#include "vector.h"

enum { MAX_REPORTS = 20 };

unsigned n_checks, n_failures;
const char *check_context = "";

bool check(bool holds, const char *condition, const char *file, int line) {
  n_checks++;
  if (holds) return true;
  if (++n_failures <= MAX_REPORTS) printf("%s:%d: failed: %s [%s]\n", file, line, condition, check_context);
  return false;
}

static void *loans[2]; /* by memory_use */

/* The heap has blocks at multiples of 16. A source ends with its block, for AddressSanitizer to see who reads on. */
uint8_t *lend(memory_use use, size_t size, unsigned misalignment) {
  const size_t guard = use == DESTINATION ? GUARD : 0;
  const size_t whole = guard + misalignment + size + guard;
  uint8_t *block = malloc(whole ? whole : 1);
  loans[use] = block;
  if (!block || (uintptr_t)block % 16 != 0) return NULL;
  memset(block, GUARD_BYTE, whole);
  return block + guard + misalignment;
}

uint8_t *lend_tight(memory_use use, size_t size) {
  loans[use] = malloc(size ? size : 1);
  return loans[use];
}

void give_back(memory_use use) {
  free(loans[use]);
  loans[use] = NULL;
}

static uint8_t *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  uint8_t *data = NULL;
  *size = 0;
  if (!file) return NULL;
  if (fseek(file, 0, SEEK_END) == 0) {
    const long end = ftell(file);
    rewind(file);
    if (end > 0) data = malloc((size_t)end);
    if (data) *size = fread(data, 1, (size_t)end, file);
  }
  fclose(file);
  return data;
}

vectors load_vectors(int argc, char **argv) {
  size_t size;
  uint8_t *image = read_file(argc == 2 ? argv[1] : "", &size);
  const vectors all = {image, image ? n_vectors(image, size) : 0};
  if (all.n == 0) {
    fprintf(stderr, "usage: %s IMAGE, which tests/vectors/image.py builds\n", argv[0]);
    exit(2);
  }
  return all;
}

int finish(vectors *all) {
  printf("%u vectors, %u checks, %u failures\n", (unsigned)all->n, n_checks, n_failures);
  free((void *)(uintptr_t)all->image);
  return n_failures == 0 ? 0 : 1;
}
