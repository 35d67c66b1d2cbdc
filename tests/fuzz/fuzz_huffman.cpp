/* SPDX-License-Identifier: Apache-2.0 */
// TensorFlow Lite Micro's Huffman tensors, decoded from any bytes: nothing outside them is read.

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "tflm_huffman.hpp"

// Byte 0: size of an entry and width of the root table; 1: number of elements; 2: how the rest is split into table and
// stream. Each part gets memory of its own, so that the sanitizer sees its end.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  if (size < 3) return 0;
  const std::size_t entry_size = data[0] & 1 ? 4 : 2;
  const std::uint8_t *begin = data + 3, *end = data + size;
  const std::uint8_t *middle = begin + (size - 3) * data[2] / 255;
  const std::vector<std::uint8_t> table(begin, middle), stream(middle, end);
  std::vector<std::int16_t> values(data[1], 0x5A5A);
  const auto status = stridepack::tflm_huffman_decode(stream.data(), stream.size(), table.data(), table.size(),
                                                      entry_size, 1 + (data[0] >> 4), values.data(), values.size());
  // Only what needs no bits can be decoded from none.
  if (stream.size() < 4 && !values.empty() && status != stridepack::TflmHuffmanStatus::kStreamEnds) std::abort();
  return 0;
}
