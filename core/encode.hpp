/* SPDX-License-Identifier: Apache-2.0 */
// The encoders: one tile in, its streams out, as docs/format.md lays them down. One encode_<format>.cpp for each format
// of spec/spec.toml.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bits.hpp"
#include "search.hpp"
#include "spk_spec.h"

namespace stridepack {

struct Tile {
  const std::int8_t *values;
  std::uint32_t n;
};

// Writes the streams of a tile, each at a multiple of 4 bytes.
class StreamWriter {
 public:
  explicit StreamWriter(std::vector<std::uint8_t> &out) : out_(out) {}

  void u8(std::uint32_t value) { out_.push_back(static_cast<std::uint8_t>(value)); }
  void u16(std::uint32_t value) { u8(value), u8(value >> 8); }
  void u32(std::uint32_t value) { u16(value), u16(value >> 16); }
  void bytes(const std::vector<std::uint8_t> &stream) { out_.insert(out_.end(), stream.begin(), stream.end()); }
  // The same, and frees the stream: with large tensors, each copy counts.
  void bytes(std::vector<std::uint8_t> &&stream) {
    bytes(static_cast<const std::vector<std::uint8_t> &>(stream));
    std::vector<std::uint8_t>().swap(stream);
  }
  void bytes(const std::int8_t *first, std::size_t n) { out_.insert(out_.end(), first, first + n); }

  // 4-bit fields, even ones in the upper nibble.
  void nibbles(const std::vector<std::uint8_t> &fields) {
    for (std::size_t i = 0; i < fields.size(); i += 2) {
      u8(static_cast<std::uint32_t>(fields[i] << 4 | (i + 1 < fields.size() ? fields[i + 1] : 0)));
    }
  }

  // Ends a stream. The payload that tiles are appended to starts at a multiple of 4 itself.
  void align() { out_.resize((out_.size() + 3) & ~std::size_t{3}); }

 private:
  std::vector<std::uint8_t> &out_;
};

// Options of the formats by name, each a list of integers: what `Format.encoder_options` in Python gives. An encoder
// takes those that concern it.
using EncodeOptions = std::map<std::string, std::vector<std::uint32_t>, std::less<>>;

// The list of that name; an empty one where it was not given.
const std::vector<std::uint32_t> &option(const EncodeOptions &options, std::string_view name);

#define STRIDEPACK_DECLARE(name, NAME, id) void encode_##name(const Tile &, const EncodeOptions &, StreamWriter &);
SPK_FORMATS(STRIDEPACK_DECLARE)
#undef STRIDEPACK_DECLARE

// The payload of a whole tensor: tile index and tiles. tile_size >= 1.
// Throws std::invalid_argument for an unknown format, std::length_error when the payload exceeds 32 bits.
std::vector<std::uint8_t> encode(std::string_view format, const std::int8_t *values, std::size_t n,
                                 std::size_t tile_size, const EncodeOptions &options);

}  // namespace stridepack
