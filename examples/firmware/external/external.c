/* SPDX-License-Identifier: Apache-2.0 */
/* Packed weights in a Flash that has no addresses: while one tile is decoded, the next one is being copied.
 *
 * The file weights.spk lies in the external Flash. spk_reader finds tensors and tiles in it; copy.c copies the tiles to
 * one of two buffers, and the program decodes from the other one.
 */
#include <stdbool.h>

#include "board/console.h"
#include "expected.h" /* expected.py wrote it: a checksum for every tensor of the model */
#include "external/copy.h"
#include "spk_reader.h"

/* `stridepack pack --sram 8192` makes no larger tile. Packed, a tile of this model takes less. */
enum { TILE = 8192, PACKED_TILE = 6144, WINDOW = 512 };

static int8_t buffer[TILE];                           /* a tile, decoded */
static _Alignas(32) uint8_t incoming[2][PACKED_TILE]; /* two tiles, as they lie in the Flash */
static _Alignas(4) uint8_t window[WINDOW];            /* header and bitmaps of the open tensor */
static spk_reader reader;
static uint32_t crc, n_copied, n_waited_for;

static uint32_t add_to_crc(uint32_t sum, const int8_t *data, uint32_t n) {
  sum = ~sum;
  for (uint32_t i = 0; i < n; i++) {
    sum ^= (uint8_t)data[i];
    for (int bit = 0; bit < 8; bit++) sum = sum >> 1 ^ ((sum & 1u) != 0 ? 0xEDB88320u : 0u);
  }
  return ~sum;
}

/* Receives the weights of a tensor in their order, a tile at a time. */
static void use_weights(const int8_t *values, uint32_t n) { crc = add_to_crc(crc, values, n); }

/* What spk_reader reads by: headers, the tile index and the table of the file. It waits. */
static int read_flash(void *context, uint32_t offset, void *dst, uint32_t n) {
  (void)context;
  return copy_start(dst, offset, n) && copy_wait() ? 0 : 1;
}

/* Start to copy a tile of the open tensor. n receives its bytes. */
static spk_status start(uint32_t tile, uint32_t *n) {
  uint32_t offset;
  const spk_status status = spk_reader_place(&reader, tile, &offset, n);
  if (status != SPK_OK) return status;
  if (*n > PACKED_TILE) return SPK_ERROR_WINDOW;
  n_copied += *n;
  if (*n == 0) return SPK_OK; /* a tile in which nothing is live */
  return copy_start(incoming[tile % 2u], offset, *n) ? SPK_OK : SPK_ERROR_READ;
}

/* Tile after tile of the open tensor. To copy the first tile of the next tensor meanwhile, use a second reader. */
static spk_status unpack(void) {
  const uint32_t n_tiles = reader.view.n_tiles;
  uint32_t n = 0, next_n = 0;
  spk_status status = start(0, &n);
  for (uint32_t tile = 0; tile < n_tiles && status == SPK_OK; tile++, n = next_n) {
    n_waited_for += copy_left();
    if (!copy_wait()) return SPK_ERROR_READ;
    if (tile + 1u < n_tiles) status = start(tile + 1u, &next_n);
    if (status == SPK_OK) {
      status = spk_reader_decode_loaded_s8(&reader, tile, incoming[tile % 2u], n, buffer, sizeof buffer);
    }
    if (status == SPK_OK) use_weights(buffer, spk_tile_elements(&reader.view, tile));
  }
  (void)copy_wait();
  return status;
}

static bool fail(const char *what, spk_status status) {
  print("ERROR: ");
  print(what);
  print(": ");
  print(spk_status_name(status));
  if (status == SPK_ERROR_WINDOW) {
    print(", bytes needed: ");
    print_number(reader.window_needed);
  }
  print("\n");
  return false;
}

/* Once at boot: is the file in the Flash exactly the one that was packed? All of `incoming` is the window for that. */
static bool check_file(void) {
  spk_status status = spk_reader_init(&reader, read_flash, 0, copy_flash_size(), incoming, sizeof incoming);
  if (status == SPK_OK) status = spk_reader_open_bundle(&reader);
  if (status == SPK_OK) status = spk_reader_validate_bundle(&reader);
  return status == SPK_OK ? true : fail("the file in the external Flash", status);
}

int main(void) {
  if (!check_file()) return 1;
  spk_status status = spk_reader_init(&reader, read_flash, 0, copy_flash_size(), window, sizeof window);
  if (status == SPK_OK) status = spk_reader_open_bundle(&reader);
  uint32_t n_weights = 0;
  for (uint32_t i = 0; i < reader.n_tensors && status == SPK_OK; i++) {
    crc = 0;
    status = spk_reader_get(&reader, i);
    if (status == SPK_OK) status = unpack();
    if (status == SPK_OK && crc != expected_crc32[i]) status = SPK_ERROR_CHECKSUM;
    n_weights += reader.view.n_elements;
  }
  if (status != SPK_OK || n_weights == 0) return fail("a tensor", status) ? 0 : 1;
  print("All ");
  print_number(n_weights);
  print(" weights are exact. ");
  print_number(n_copied);
  print(" bytes were copied, and the program waited for ");
  print_number(n_waited_for);
  print(" of them.\n");
  return 0;
}
