// bitmap: docs/format.md, section 8.

#include <utility>

#include "encode.hpp"

namespace stridepack {

void encode_bitmap(const Tile &tile, const EncodeOptions &, StreamWriter &out) {
  std::vector<std::uint8_t> bitmap((std::size_t{tile.n} + 7) / 8), values;
  for (std::uint32_t c = 0; c < tile.n; c++) {
    if (tile.values[c] == 0) continue;
    bitmap[c / 8] = static_cast<std::uint8_t>(bitmap[c / 8] | 0x80u >> c % 8);
    values.push_back(static_cast<std::uint8_t>(tile.values[c]));
  }
  out.bytes(std::move(bitmap));
  out.align();
  out.bytes(std::move(values));
}

}  // namespace stridepack
