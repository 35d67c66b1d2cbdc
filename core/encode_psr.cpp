/* SPDX-License-Identifier: Apache-2.0 */
// psr: docs/format.md, section 4.

#include <algorithm>
#include <utility>

#include "encode.hpp"

namespace stridepack {

void encode_psr(const Tile &tile, const EncodeOptions &, StreamWriter &out) {
  std::vector<std::uint8_t> counts, columns, values;
  for (std::uint32_t begin = 0; begin < tile.n; begin += SPK_PSR_BLOCK) {
    const std::int8_t *block = tile.values + begin;
    const std::uint32_t length = std::min(SPK_PSR_BLOCK, tile.n - begin);
    const auto zeros = static_cast<std::uint32_t>(std::count(block, block + length, std::int8_t{0}));
    const std::uint32_t count = std::min(length - zeros, 255u);
    counts.push_back(static_cast<std::uint8_t>(count));
    for (std::uint32_t c = 0; c < length; c++) {
      if (block[c] == 0 && count < 255) continue;
      if (count < 255) columns.push_back(static_cast<std::uint8_t>(c));
      values.push_back(static_cast<std::uint8_t>(block[c]));
    }
  }
  out.u32(static_cast<std::uint32_t>(columns.size()));
  out.bytes(std::move(counts));
  out.align();
  out.bytes(std::move(columns));
  out.align();
  out.bytes(std::move(values));
}

}  // namespace stridepack
