/* SPDX-License-Identifier: Apache-2.0 */
// Lengths of the codes of huffman: docs/format.md, section 10. Which cost least, and how they are stored.

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ranks.hpp"
#include "spk_spec.h"

namespace stridepack {

constexpr std::uint32_t kMaxLength = SPK_HUFFMAN_MAX_LENGTH;
constexpr std::uint32_t kLongPenalty = 1;    // bits that a code which no lookup finds has to save
constexpr std::uint32_t kSymbolPenalty = 8;  // of a symbol in a short description, for its place in a table
constexpr std::uint32_t kCostShift = 4;      // costs are in units of 2^-4 bit

using Lengths = std::vector<std::uint8_t>;

// Lengths as they are stored one by one, their cost with 4 bits for each, and what no code falls below. One symbol
// alone needs no length, and no code.
struct PlainCode {
  Lengths lengths;
  std::uint64_t cost = 0, bound = 0;

  PlainCode() = default;
  PlainCode(const Counts &counts, std::uint32_t long_penalty);
};

// Ranks as lengths.
extern const RankCode kLengthRanks;

// With a penalty for each symbol, which takes a decoder time. Very much where there is no table.
std::uint64_t cost_of(const std::optional<ShortTable> &table);

Lengths lengths_of(const ShortTable &table);

}  // namespace stridepack
