/* Firmware that decodes every blob of an image. count.c counts between the stores to count_begin and count_end; what
 * comes out is compared, and the stack measured, outside of them. Prints the bytes of stack of each decode, one a line;
 * exits with 1 at the first wrong byte.
 *
 * run.py writes the image: "SPKC", u32 number of blobs, and for each u32 offset and size of the blob, then of the bytes
 * that are expected.
 */
#include <stdbool.h>
#include <string.h>

#include "check.h"
#include "semihosting.h"
#include "spk.h"
#include "startup.h"

/* m55.ld */
extern const uint8_t image[];
extern uint32_t stack_bottom[];
extern int8_t destination[], destination_end[];

/* Not in .bss, which is cleared at reset: those stores would count. */
#define MARKER __attribute__((section(".data.markers")))
MARKER volatile uint32_t count_begin = 1, count_end = 1;

const char *check_context = "start";

static const uint32_t paint = 0xA5C35A3Cu;

static uint32_t load_u32(const uint8_t *p) {
  uint32_t word;
  memcpy(&word, p, sizeof word);
  return word;
}

/* Returns the bytes of stack below this function's own. What is counted is the call, its arguments included. */
__attribute__((noinline)) static uint32_t decode(const spk_view *view, size_t size, spk_status *status) {
  uint32_t *top, *word;
  __asm__ volatile("mov %0, sp" : "=r"(top));
  for (word = stack_bottom; word < top; word++) *(volatile uint32_t *)word = paint;
  count_begin = 1;
  *status = spk_decode_s8(view, destination, size);
  count_end = 1;
  for (word = stack_bottom; word < top && *(volatile uint32_t *)word == paint;) word++;
  return (uint32_t)(top - word) * sizeof *word;
}

static bool run(const uint8_t *entry) {
  const uint8_t *const blob = image + load_u32(entry), *const expected = image + load_u32(entry + 8);
  const uint32_t blob_size = load_u32(entry + 4), size = load_u32(entry + 12);
  spk_view view;
  spk_status status = spk_open(&view, blob, blob_size);
  if (status == SPK_OK) {
    memset(destination, 0x55, size);
    const uint32_t stack_bytes = decode(&view, size, &status);
    print_unsigned(stack_bytes);
    print("\n");
  }
  if (status != SPK_OK) {
    print(spk_status_name(status));
    print("\n");
    return false;
  }
  if (view.n_elements != size || memcmp(destination, expected, size) != 0) {
    print("wrong bytes\n");
    return false;
  }
  return true;
}

int main(void) {
  if (memcmp(image, "SPKC", 4) != 0) {
    print("no image\n");
    return 2;
  }
  const uint32_t n = load_u32(image + 4);
  for (uint32_t i = 0; i < n; i++) {
    if (!run(image + 8 + 16u * i)) return 1;
  }
  return 0;
}
