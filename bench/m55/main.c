/* SPDX-License-Identifier: Apache-2.0 */
/* Firmware that decodes every blob of an image. count.c counts between the stores to count_begin and count_end; what
 * comes out is compared, and the stack measured, outside of them. Prints the bytes of stack of each decode, one a line;
 * exits with 1 at the first wrong byte.
 *
 * run.py writes the image: "SPKC", u32 number of blobs, and for each five u32: which decoder, offset and size of the
 * blob, offset and size of the bytes that are expected.
 */
#include <stdbool.h>
#include <string.h>

#include "bit_loop.h"
#include "counted.h"
#include "semihosting.h"
#include "spk.h"
#include "spk_internal.h"
#include "startup.h"

/* m55.ld */
extern uint32_t stack_bottom[];
extern int8_t destination[], destination_end[];

/* The decoders that can be asked for. The last two get the streams of a bitmap blob of 8 bits a value, after its
 * header, as TensorFlow Lite Micro's PRUNE has them: bitmap and values apart, and nothing else. */
enum { DECODE_S8, TFLM_PRUNE_S8, BIT_LOOP, BITMAP_HEADER_SIZE = 4 };

/* What a word of stack that nobody used yet holds. Never what a register may hold that is pushed there. */
#define PAINT(word) ((uint32_t)(uintptr_t)(word) ^ 0xA5C35A3Cu)

#if defined(__riscv)
#define MOVE "mv "
#else
#define MOVE "mov "
#endif

/* Inside a function, around what is measured: it counts from its own end of the stack. */
#define PAINT_STACK()                             \
  uint32_t *top, *word;                           \
  __asm__ volatile(MOVE "%0, sp" : "=r"(top));    \
  for (word = stack_bottom; word < top; word++) { \
    *(volatile uint32_t *)word = PAINT(word);     \
  }
#define STACK_USED()                                                                          \
  for (word = stack_bottom; word < top && *(volatile uint32_t *)word == PAINT(word);) word++; \
  return (uint32_t)(top - word) * sizeof *word

/* These return bytes of stack. What is counted is the call, its arguments included. */
__attribute__((noinline)) static uint32_t decode(const spk_view *view, size_t size, spk_status *status) {
  PAINT_STACK();
  count_begin = 1;
  *status = spk_decode_s8(view, destination, size);
  count_end = 1;
  STACK_USED();
}

__attribute__((noinline)) static uint32_t decode_prune(bool bit_by_bit, const uint8_t *bitmap, size_t size,
                                                       uint32_t n_values, spk_status *status) {
  const size_t bitmap_size = (size + 7u) / 8u;
  const int8_t *const values = (const int8_t *)bitmap + ((bitmap_size + 3u) & ~(size_t)3);
  PAINT_STACK();
  if (bit_by_bit) {
    count_begin = 1;
    bit_loop(destination, size, bitmap, values, 0);
    count_end = 1;
  } else {
    count_begin = 1;
    *status = spk_tflm_prune_s8(destination, size, bitmap, bitmap_size, values, n_values);
    count_end = 1;
  }
  STACK_USED();
}

static bool run(const uint8_t *entry) {
  const uint8_t *const blob = image + load_u32(entry + 4), *const expected = image + load_u32(entry + 12);
  const uint32_t blob_size = load_u32(entry + 8), size = load_u32(entry + 16);
  spk_view view;
  spk_status status = spk_open(&view, blob, blob_size);
  if (status == SPK_OK) {
    memset(destination, 0x55, size);
    const uint32_t decoder = load_u32(entry);
    uint32_t stack_bytes;
    if (decoder == DECODE_S8) {
      stack_bytes = decode(&view, size, &status);
    } else {
      const uint8_t *const bitmap = view.payload + BITMAP_HEADER_SIZE;
      const uint32_t n_values = spk_bitmap_count(bitmap, (uint32_t)((size + 7u) / 8u));
      stack_bytes = decode_prune(decoder == BIT_LOOP, bitmap, size, n_values, &status);
    }
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
    if (!run(image + 8 + 20u * i)) return 1;
  }
  return 0;
}
