/* SPDX-License-Identifier: Apache-2.0 */
// rle: docs/format.md, section 5.

#include <utility>

#include "encode.hpp"

namespace stridepack {

void encode_rle(const Tile &tile, const EncodeOptions &, StreamWriter &out) {
  std::vector<std::uint8_t> distances, values;
  std::uint32_t next = 0;  // one behind the last stored element
  const auto store = [&](std::uint32_t position) {
    distances.push_back(static_cast<std::uint8_t>(position - next));
    values.push_back(static_cast<std::uint8_t>(tile.values[position]));
    next = position + 1;
  };
  for (std::uint32_t c = 0; c < tile.n; c++) {
    if (tile.values[c] == 0) continue;
    while (c - next > 15) store(next + 15);
    store(c);
  }
  out.u32(static_cast<std::uint32_t>(values.size()));
  out.nibbles(distances);
  out.align();
  out.bytes(std::move(values));
}

}  // namespace stridepack
