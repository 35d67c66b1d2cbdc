/* SPDX-License-Identifier: Apache-2.0 */
#include "encode.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>

#include "checkpoint.hpp"

namespace stridepack {
namespace {

using Encoder = void (*)(const Tile &, const EncodeOptions &, StreamWriter &);

Encoder encoder_of(std::string_view format) {
#define STRIDEPACK_MATCH(name, NAME, id) \
  if (format == #name) return encode_##name;
  SPK_FORMATS(STRIDEPACK_MATCH)
#undef STRIDEPACK_MATCH
  throw std::invalid_argument("unknown format " + std::string(format));
}

void store_u32(std::uint8_t *at, std::size_t value) {
  for (int b = 0; b < 4; b++) at[b] = static_cast<std::uint8_t>(value >> 8 * b);
}

}  // namespace

const std::vector<std::uint32_t> &option(const EncodeOptions &options, std::string_view name) {
  static const std::vector<std::uint32_t> kNone;
  const auto found = options.find(name);
  return found == options.end() ? kNone : found->second;
}

std::vector<std::uint8_t> encode(std::string_view format, const std::int8_t *values, std::size_t n,
                                 std::size_t tile_size, const EncodeOptions &options) {
  const Encoder encode_tile = encoder_of(format);
  const std::size_t n_tiles = n / tile_size + (n % tile_size != 0);
  std::vector<std::uint8_t> payload(n_tiles > 1 ? 4 * n_tiles : 0);
  payload.reserve(payload.size() + n + n / 4);  // growing would copy it; what is never written takes no memory
  StreamWriter out(payload);
  for (std::size_t t = 0; t < n_tiles; t++) {
    const std::size_t first = t * tile_size;
    const Tile tile{values + first, static_cast<std::uint32_t>(std::min(tile_size, n - first))};
    encode_tile(tile, options, out);
    checkpoint(tile.n);
    out.align();
    if (payload.size() > std::numeric_limits<std::uint32_t>::max()) {
      throw std::length_error("the payload exceeds 4 GiB");
    }
    if (n_tiles > 1) store_u32(payload.data() + 4 * t, payload.size());
  }
  return payload;
}

}  // namespace stridepack
