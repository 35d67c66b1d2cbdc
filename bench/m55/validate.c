/* Firmware that validates every blob of an image of main.c. count.c counts each call of spk_validate, its arguments
 * included. Prints a line for each; exits with 1 at the first blob that is refused.
 */
#include <string.h>

#include "check.h"
#include "semihosting.h"
#include "spk.h"

/* m55.ld, m4.ld */
extern const uint8_t image[];

/* Not in .bss, which is cleared at reset: those stores would count. */
#define MARKER __attribute__((section(".data.markers")))
MARKER volatile uint32_t count_begin = 1, count_end = 1;

const char *check_context = "start";

static uint32_t load_u32(const uint8_t *p) {
  uint32_t word;
  memcpy(&word, p, sizeof word);
  return word;
}

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
