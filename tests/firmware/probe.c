/* SPDX-License-Identifier: Apache-2.0 */
/* Reads that may fault. startup.c of each architecture has the handler that notes it. */
#include "startup.h"

bool byte_faults(const volatile uint8_t *address) {
  has_faulted = false;
  is_probing = true;
  (void)*address;
  is_probing = false;
  return has_faulted;
}

bool word_faults(const volatile uint32_t *address) {
  has_faulted = false;
  is_probing = true;
  (void)*address;
  is_probing = false;
  return has_faulted;
}
