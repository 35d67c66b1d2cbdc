/* SPDX-License-Identifier: Apache-2.0 */
/* Packed weights in firmware: check them once at boot, and unpack each tensor when it is needed.
 *
 * This program unpacks every tensor of the model once. In your firmware a layer computes with the values where
 * use_weights is called. Here use_weights adds them to a checksum, which must be that of the original model.
 */
#include <stdbool.h>

#include "board/console.h"
#include "expected.h" /* expected.py wrote it: a checksum for every tensor of the model */
#include "spk.h"
#include "weights.h" /* `stridepack pack` wrote it */

/* Every tensor is unpacked into this buffer. `stridepack pack --sram` cuts those that are larger into tiles. */
static int8_t buffer[WEIGHTS_LARGEST_TILE];

/* What spk_open found in the header of each blob. */
static spk_view views[WEIGHTS_N_TENSORS];

static uint32_t crc;

/* The CRC-32 of zlib. Start with 0. */
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

static void report_error(uint32_t i, const char *what) {
  print("ERROR: ");
  print(weights_tensors[i].name);
  print(": ");
  print(what);
  print("\n");
}

/* Once at boot: are the blobs in Flash exactly those that were packed? */
static bool check_weights(void) {
  for (uint32_t i = 0; i < WEIGHTS_N_TENSORS; i++) {
    spk_status status = spk_open(&views[i], weights_tensors[i].blob, weights_tensors[i].blob_size);
    if (status == SPK_OK) status = spk_validate(&views[i]);
    if (status != SPK_OK) {
      report_error(i, spk_status_name(status));
      return false;
    }
  }
  return true;
}

/* Whenever the weights are needed. A tensor that was not cut has one tile. */
static spk_status unpack(const spk_view *view) {
  for (uint32_t tile = 0; tile < view->n_tiles; tile++) {
    const spk_status status = spk_decode_tile_s8(view, tile, buffer, sizeof buffer);
    if (status != SPK_OK) return status; /* The buffer holds garbage now. */
    use_weights(buffer, spk_tile_elements(view, tile));
  }
  return SPK_OK;
}

static bool run_tensor(uint32_t i) {
  crc = 0;
  const spk_status status = unpack(&views[i]);
  if (status != SPK_OK) {
    report_error(i, spk_status_name(status));
    return false;
  }
  if (crc != expected_crc32[i]) {
    report_error(i, "the weights differ from those of the model");
    return false;
  }
  print(weights_tensors[i].name);
  print(": ");
  print_number(views[i].n_elements);
  print(" weights from ");
  print_number((uint32_t)weights_tensors[i].blob_size);
  print(" bytes in ");
  print_number(views[i].n_tiles);
  print(views[i].n_tiles == 1 ? " tile\n" : " tiles\n");
  return true;
}

int main(void) {
  print("stridepack " SPK_LIBRARY_VERSION "\n");
  if (!check_weights()) return 1;
  uint32_t n_weights = 0;
  for (uint32_t i = 0; i < WEIGHTS_N_TENSORS; i++) {
    if (!run_tensor(i)) return 1;
    n_weights += views[i].n_elements;
  }
  print("All ");
  print_number(n_weights);
  print(" weights are exact. The blobs take ");
  print_number(WEIGHTS_PACKED_SIZE);
  print(" bytes, and the buffer ");
  print_number(sizeof buffer);
  print(" bytes.\n");
  return 0;
}
