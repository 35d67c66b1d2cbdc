/* SPDX-License-Identifier: Apache-2.0 */
/* What main.c does, in C++17: `make MAIN=main.cpp run` takes this file instead. It allocates nothing and throws
 * nothing, and needs no C++ library.
 */
extern "C" {
#include "board/console.h"
}
#include "expected.h" /* expected.py wrote it: a checksum for every tensor of the model */
#include "stridepack.hpp"
#include "weights.h" /* `stridepack pack` wrote it */

namespace {

using values = stridepack::span<const int8_t>;

/* Every tensor is unpacked into this buffer. `stridepack pack --sram` cuts those that are larger into tiles. */
int8_t buffer[WEIGHTS_LARGEST_TILE];

/* The CRC-32 of zlib. Start with 0. */
uint32_t add_to_crc(uint32_t sum, values data) {
  sum = ~sum;
  for (const int8_t value : data) {
    sum ^= static_cast<uint8_t>(value);
    for (int bit = 0; bit < 8; bit++) sum = sum >> 1 ^ ((sum & 1u) != 0 ? 0xEDB88320u : 0u);
  }
  return ~sum;
}

bool report_error(const char *name, const char *what) {
  print("ERROR: ");
  print(name);
  print(": ");
  print(what);
  print("\n");
  return false;
}

/* Checks a tensor, and unpacks it. A dense tensor that was not cut is read where it lies in Flash. */
bool run_tensor(const stridepack_tensor &row, uint32_t expected) {
  const auto tensor = stridepack::tensor::open(row);
  if (!tensor) return report_error(row.name, tensor.status().name());
  if (const auto valid = tensor->validate(); !valid) return report_error(row.name, valid.name());

  uint32_t crc = 0;
  const values where_it_lies = tensor->n_tiles() == 1 ? tensor->dense_tile() : values();
  if (!where_it_lies.empty()) {
    crc = add_to_crc(crc, where_it_lies);
  } else {
    const auto use_weights = [&crc](values tile) { crc = add_to_crc(crc, tile); };
    const auto done = tensor->for_each_tile(buffer, use_weights);
    if (!done) return report_error(row.name, done.name());
  }
  if (crc != expected) return report_error(row.name, "the weights differ from those of the model");
  print(row.name);
  print(where_it_lies.empty() ? ": unpacked\n" : ": read in place\n");
  return true;
}

/* Any model: the types are the same for all of them. */
bool run_model(const stridepack_model &model, const uint32_t *expected) {
  for (size_t i = 0; i < model.n_tensors; i++) {
    if (!run_tensor(model.tensors[i], expected[i])) return false;
  }
  return true;
}

}  // namespace

int main() {
  print("stridepack ");
  print(stridepack::version());
  print("\n");
  if (!run_model(WEIGHTS_MODEL, expected_crc32)) return 1;
  print("All weights are exact.\n");
  return 0;
}
