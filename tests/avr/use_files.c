/* SPDX-License-Identifier: Apache-2.0 */
/* Uses blobs and bundles on an AVR, where int and size_t have 16 bits. IMAGE is a file with all of them, which lies in
 * the Flash: in front of each one are its size, in four bytes, and a byte that is 1 for a bundle. Size -1 is the end.
 *
 * Each file is read with spk_reader (r). One that fits into the RAM is also used there (m), and a blob is unpacked in
 * place (p). Each time a line is printed: the number of the file, that letter, the statuses of open, validate and
 * decode as letters from a on, or - where one was not reached, the CRC-32 of what was decoded, and ! where bytes
 * around the destination changed.
 *
 * Of bundles all tensors are decoded, or the one that has the name FIND where that is defined. */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <avr/sleep.h>

#include "spk_internal.h"
#include "spk_reader.h"

/* After all functions: pointers to them need the first 128 KiB. */
__asm__(
    ".section .text.image\n"
    "image: .incbin \"" IMAGE
    "\"\n"
    ".balign 2\n"
    ".text\n");
extern const uint8_t image[];

#ifndef DESTINATION
#define DESTINATION 4000
#endif
enum { SOURCE = 2500, GUARD = 64, GUARD_BYTE = 0xA5, HEAD = 5 };
static uint8_t memory[SOURCE + GUARD + DESTINATION + GUARD];
static int8_t *const destination = (int8_t *)memory + SOURCE + GUARD;

static uint_farptr_t file; /* the one in use */
static spk_reader reader;
static spk_bundle bundle;
static spk_view view;

/* What came of it. */
enum { OPEN, VALIDATE, DECODE, CALLS, NOT_REACHED = -1 };
static int statuses[CALLS];
static uint32_t crc;
static bool wrote_outside;

static void say(char letter) {
  while (!(UCSR0A & _BV(UDRE0))) continue;
  UDR0 = (uint8_t)letter;
}

static void say_number(uint32_t number, uint32_t base) {
  if (number >= base) say_number(number / base, base);
  say("0123456789abcdef"[number % base]);
}

/* The first of the calls that the report is about: what came of those before it stays. */
static void begin_report(uint32_t number, char way, int first) {
  say_number(number, 10);
  say(way);
  for (int i = first; i < CALLS; i++) statuses[i] = NOT_REACHED;
  crc = 0;
  wrote_outside = false;
}

static void end_report(void) {
  for (int i = 0; i < CALLS; i++) say(statuses[i] == NOT_REACHED ? '-' : (char)('a' + statuses[i]));
  say_number(crc, 16);
  if (wrote_outside) say('!');
  say('\n');
}

static int read_file(void *context, uint32_t offset, void *dst, uint32_t n) {
  (void)context;
  for (uint32_t i = 0; i < n; i++) ((uint8_t *)dst)[i] = pgm_read_byte_far(file + offset + i);
  return 0;
}

static void put_guard(int8_t *at) { memset(at, GUARD_BYTE, GUARD); }

static void check_guard(const int8_t *at) {
  for (uint32_t i = 0; i < GUARD; i++) {
    if ((uint8_t)at[i] != GUARD_BYTE) wrote_outside = true;
  }
}

static void put_guards(uint32_t n) {
  put_guard(destination - GUARD);
  put_guard(destination + n);
}

/* The status of a call that has decoded n elements to dst. */
static void add(spk_status status, const int8_t *dst, uint32_t n) {
  statuses[DECODE] = (int)status;
  if (status == SPK_OK) crc = spk_crc32(crc, (const uint8_t *)dst, (size_t)n);
}

static void add_guarded(spk_status status, uint32_t n) {
  add(status, destination, n);
  check_guard(destination - GUARD);
  check_guard(destination + n);
}

/* The open blob of the reader. */
static void decode_tiles(void) {
  statuses[DECODE] = SPK_OK;
  for (uint32_t i = 0; i < reader.view.n_tiles && statuses[DECODE] == SPK_OK; i++) {
    const uint32_t n = spk_min_u32(spk_tile_elements(&reader.view, i), DESTINATION);
    put_guards(n);
    add_guarded(spk_reader_decode_tile_s8(&reader, i, destination, (size_t)n), n);
  }
}

/* The open view: at once, or where it has too many elements, by tiles. */
static void decode_view(void) {
  const bool is_whole = view.n_elements <= DESTINATION;
  statuses[DECODE] = SPK_OK;
  for (uint32_t i = 0; i < (is_whole ? 1 : view.n_tiles) && statuses[DECODE] == SPK_OK; i++) {
    const uint32_t n = is_whole ? view.n_elements : spk_min_u32(spk_tile_elements(&view, i), DESTINATION);
    put_guards(n);
    add_guarded(
        is_whole ? spk_decode_s8(&view, destination, (size_t)n) : spk_decode_tile_s8(&view, i, destination, (size_t)n),
        n);
  }
}

static void read_blob(uint32_t size) {
  statuses[OPEN] = (int)spk_reader_open(&reader, 0, size);
  if (statuses[OPEN] != SPK_OK) return;
  statuses[VALIDATE] = (int)spk_reader_validate(&reader);
  decode_tiles();
}

static void read_bundle(uint32_t size) {
  (void)size;
  statuses[OPEN] = (int)spk_reader_open_bundle(&reader);
  if (statuses[OPEN] != SPK_OK) return;
  statuses[VALIDATE] = (int)spk_reader_validate_bundle(&reader);
#ifdef FIND
  statuses[DECODE] = (int)spk_reader_find(&reader, FIND);
  if (statuses[DECODE] == SPK_OK) decode_tiles();
#else
  statuses[DECODE] = SPK_OK;
  for (uint32_t i = 0; i < reader.n_tensors && statuses[DECODE] == SPK_OK; i++) {
    statuses[DECODE] = (int)spk_reader_get(&reader, i);
    if (statuses[DECODE] == SPK_OK) decode_tiles();
  }
#endif
}

static bool load_blob(uint32_t size) {
  (void)read_file(NULL, 0, memory, size);
  statuses[OPEN] = (int)spk_open(&view, memory, (size_t)size);
  if (statuses[OPEN] == SPK_OK) statuses[VALIDATE] = (int)spk_validate(&view);
  return statuses[OPEN] == SPK_OK;
}

static void load_bundle(uint32_t size) {
  (void)read_file(NULL, 0, memory, size);
  statuses[OPEN] = (int)spk_bundle_open(&bundle, memory, (size_t)size);
  if (statuses[OPEN] != SPK_OK) return;
  statuses[VALIDATE] = (int)spk_bundle_validate(&bundle);
  statuses[DECODE] = SPK_OK;
  for (uint32_t i = 0; i < bundle.n_tensors && statuses[DECODE] == SPK_OK; i++) {
    statuses[DECODE] = (int)spk_bundle_get(&bundle, i, NULL, &view);
    if (statuses[DECODE] == SPK_OK) decode_view();
  }
}

/* The blob lies where memory begins. */
static void decode_in_place(void) {
  const uint32_t n = view.n_elements;
  size_t margin;
  const spk_status status = spk_in_place_margin(&view, &margin);
  if (status != SPK_OK || n > DESTINATION || margin > SOURCE) {
    statuses[DECODE] = (int)(status == SPK_OK ? SPK_ERROR_DESTINATION : status);
    return;
  }
  int8_t *const dst = (int8_t *)memory + margin, *const blob_end = (int8_t *)view.payload + view.payload_size;
  int8_t *const after = dst + n < blob_end ? blob_end : dst + n;
  put_guard(after);
  add(spk_decode_in_place_s8(&view, dst, (size_t)n), dst, n);
  check_guard(after);
}

static void use(uint32_t number, uint32_t size, bool is_bundle) {
  begin_report(number, 'r', OPEN);
  (void)spk_reader_init(&reader, read_file, NULL, size, memory, SOURCE);
  (is_bundle ? read_bundle : read_blob)(size);
  end_report();
  if (size > SOURCE) return;
  begin_report(number, 'm', OPEN);
  if (is_bundle) {
    load_bundle(size);
    end_report();
    return;
  }
  const bool is_open = load_blob(size);
  if (is_open) decode_view();
  end_report();
  begin_report(number, 'p', DECODE);
  if (is_open) decode_in_place();
  end_report();
}

int main(void) {
  UCSR0B = _BV(TXEN0);
  file = pgm_get_far_address(image);
  for (uint32_t i = 0;; i++) {
    uint8_t head[HEAD];
    (void)read_file(NULL, 0, head, HEAD);
    const uint32_t size = spk_load_u32(head);
    if (size == UINT32_MAX) break;
    file += HEAD;
    use(i, size, head[4] != 0);
    file += size;
  }
  cli();
  sleep_mode();
  return 0;
}
