/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware that validates every blob of an image of main.c. count.c counts each call of spk_validate, its arguments
 * included. Prints a line for each; exits with 1 at the first blob that is refused.
 */
#include <string.h>

#include "counted.h"
#include "semihosting.h"
#include "spk.h"

int main(void) {
  if (memcmp(image, "SPKC", 4) != 0) return 2;
  const uint32_t n = load_u32(image + 4);
  for (uint32_t i = 0; i < n; i++) {
    const uint8_t *const entry = image + 8 + 20u * i;
    spk_view view;
    if (spk_open(&view, image + load_u32(entry + 4), load_u32(entry + 8)) != SPK_OK) return 1;
    count_begin = 1;
    const spk_status status = spk_validate(&view);
    count_end = 1;
    if (status != SPK_OK) return 1;
    print("0\n");
  }
  return 0;
}
