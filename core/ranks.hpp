/* SPDX-License-Identifier: Apache-2.0 */
// Short descriptions of frequencies and of code lengths: docs/format.md, section 9. A symbol has a rank, a small
// number; rans makes frequencies of ranks, huffman lengths.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace stridepack {

using Counts = std::vector<std::uint64_t>;
using RankList = std::vector<std::uint32_t>;

constexpr std::uint32_t kFraction = 12;                   // bits of a cost after the point
constexpr std::uint32_t kRankSpace = 4096;                // what the symbols of a table share
constexpr std::uint64_t kNever = std::uint64_t{1} << 60;  // the cost of what is not possible

// What ranks stand for.
struct RankCode {
  std::array<std::uint64_t, 16> bits;   // of a symbol, kFraction of them after the point; kNever: it has no code
  std::array<std::uint32_t, 16> space;  // that it takes

  // Changes ranks until the space is taken. Symbol s stands for shares[s] symbols. False where that does not work out.
  bool (*fill)(const RankCode &, RankList &ranks, const Counts &counts, const std::vector<std::uint32_t> &shares);
  // Frequencies or lengths in place of ranks. False where the ranks are not possible.
  bool (*to_entries)(RankList &ranks);
  // Bits of a symbol with that entry.
  std::uint64_t (*entry_bits)(std::uint32_t entry);
};

// The table whose codes cost least, together with its description.
struct ShortTable {
  std::uint64_t cost;             // kFraction bits after the point
  std::vector<bool> description;  // most significant bit first
  RankList entries;
};

std::optional<ShortTable> short_table(const Counts &counts, const RankCode &code);

// The same for values: those of positive ones, of negative ones, and perhaps 0. Both signs may share their ranks.
std::optional<ShortTable> short_value_table(const Counts &counts, const RankCode &code, std::uint32_t n_positive,
                                            std::uint32_t n_negative);

// Estimated cost of a symbol of one rank after one of another, in a description.
std::int64_t rank_change_cost(std::uint32_t from, std::uint32_t to);

// Descriptions as bytes, one after the other; the last bits are 0.
std::vector<std::uint8_t> pack_bits(const std::vector<bool> &bits);

}  // namespace stridepack
