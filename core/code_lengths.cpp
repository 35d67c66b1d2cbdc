/* SPDX-License-Identifier: Apache-2.0 */
#include "code_lengths.hpp"

#include <algorithm>
#include <utility>

namespace stridepack {
namespace {

constexpr std::uint32_t kIndexBits = 8;  // of a decoder's lookup

// Lengths of the prefix code of least cost, none above max_length: package-merge (L. Larmore and D. Hirschberg, "A fast
// algorithm for optimal length-limited Huffman codes", 1990). A list for each length: the symbols, and the pairs of
// what the list before has, sorted by weight. The first 2 (m - 1) items of the last list are the code.
Lengths limited_lengths(const Counts &counts, std::uint32_t max_length) {
  Lengths lengths(counts.size());
  std::vector<std::uint32_t> symbols;
  for (std::uint32_t s = 0; s < counts.size(); s++) {
    if (counts[s] != 0) symbols.push_back(s);
  }
  if (counts.size() < 2 || symbols.empty()) return lengths;
  if (symbols.size() == 1) {  // a code is never incomplete
    lengths[symbols[0]] = 1;
    lengths[symbols[0] == 0 ? 1 : 0] = 1;
    return lengths;
  }
  std::sort(symbols.begin(), symbols.end(),
            [&](auto a, auto b) { return std::pair(counts[a], a) < std::pair(counts[b], b); });

  std::vector<std::vector<bool>> is_symbol(max_length);  // of each item of each list
  std::vector<std::uint64_t> list, next;
  for (auto &flags : is_symbol) {
    next.clear();
    std::size_t s = 0, pair = 0;
    while (s < symbols.size() || pair + 1 < list.size()) {
      const bool has_pair = pair + 1 < list.size();
      const std::uint64_t weight = has_pair ? list[pair] + list[pair + 1] : 0;
      const bool take_symbol = s < symbols.size() && (!has_pair || counts[symbols[s]] <= weight);
      flags.push_back(take_symbol);
      next.push_back(take_symbol ? counts[symbols[s]] : weight);
      take_symbol ? s += 1 : pair += 2;
    }
    list.swap(next);
  }
  auto n_items = static_cast<std::ptrdiff_t>(2 * (symbols.size() - 1));
  for (std::size_t i = max_length; i-- > 0;) {
    const auto first = is_symbol[i].begin();
    const auto n_symbols = std::count(first, first + n_items, true);
    for (std::ptrdiff_t s = 0; s < n_symbols; s++) lengths[symbols[static_cast<std::size_t>(s)]]++;
    n_items = 2 * (n_items - n_symbols);
  }
  return lengths;
}

std::uint64_t bits_of(const Counts &counts, const Lengths &lengths, std::uint32_t long_penalty) {
  std::uint64_t bits = 0;
  for (std::size_t s = 0; s < counts.size(); s++) {
    bits += counts[s] * (lengths[s] + (lengths[s] > kIndexBits ? long_penalty : 0));
  }
  return bits;
}

// Ranks are lengths; the one after the greatest says that there is no code. Others are dear. A length above kIndexBits
// counts a quarter of a bit more.
constexpr std::uint32_t kNoCode = kMaxLength + 1;

std::uint64_t length_cost(std::uint32_t length) {
  return (std::uint64_t{length} << kFraction) + (length > kIndexBits ? 1u << (kFraction - 2) : 0);
}

// Shortens codes until they fill the space, always that for which a unit of space costs least. Ranks are changed by 1
// at a time, and what that does to the description is estimated.
bool fill_space(const RankCode &code, RankList &ranks, const Counts &counts, const std::vector<std::uint32_t> &shares) {
  std::int64_t left = kRankSpace;
  for (std::size_t s = 0; s < ranks.size(); s++) left -= std::int64_t{code.space[ranks[s]]} * shares[s];
  while (left > 0) {
    std::size_t best = ranks.size();
    std::int64_t least = 0;
    for (std::size_t s = 0; s < ranks.size(); s++) {
      const std::uint32_t rank = ranks[s];
      if (rank <= 1) continue;
      const std::int64_t gain = std::int64_t{code.space[rank - 1] - code.space[rank]} * shares[s];  // a power of 2
      if (gain > left) continue;
      std::int64_t cost = 0;
      if (counts[s] != 0) cost -= static_cast<std::int64_t>(counts[s] * (code.bits[rank] - code.bits[rank - 1]));
      if (s != 0) cost += rank_change_cost(ranks[s - 1], rank - 1) - rank_change_cost(ranks[s - 1], rank);
      if (s + 1 < ranks.size()) cost += rank_change_cost(rank - 1, ranks[s + 1]) - rank_change_cost(rank, ranks[s + 1]);
      cost *= 2 * std::int64_t{kRankSpace} / gain;
      if (best == ranks.size() || cost < least) best = s, least = cost;
    }
    if (best == ranks.size()) return false;
    left -= std::int64_t{code.space[ranks[best] - 1] - code.space[ranks[best]]} * shares[best];
    ranks[best]--;
  }
  return left == 0;
}

bool to_lengths(RankList &ranks) {
  std::replace(ranks.begin(), ranks.end(), kNoCode, 0u);
  return true;
}

}  // namespace

PlainCode::PlainCode(const Counts &counts, std::uint32_t long_penalty) : lengths(limited_lengths(counts, kMaxLength)) {
  if (counts.size() < 2) return;
  bound = bits_of(counts, lengths, 0) << kCostShift;
  if (*std::max_element(lengths.begin(), lengths.end()) > kIndexBits) {
    Lengths shorter = limited_lengths(counts, kIndexBits);
    const bool better = bits_of(counts, shorter, kLongPenalty) < bits_of(counts, lengths, kLongPenalty);
    if (better) lengths = std::move(shorter);
  }
  cost = (bits_of(counts, lengths, long_penalty) + 4 * counts.size()) << kCostShift;
}

const RankCode kLengthRanks = [] {
  RankCode code{{}, {}, fill_space, to_lengths, length_cost};
  code.bits.fill(kNever);
  code.space.fill(2 * kRankSpace);
  code.space[kNoCode] = 0;
  for (std::uint32_t length = 1; length <= kMaxLength; length++) {
    code.bits[length] = length_cost(length);
    code.space[length] = kRankSpace >> length;
  }
  return code;
}();

// With a penalty for each symbol, which takes a decoder time.
std::uint64_t cost_of(const std::optional<ShortTable> &table) {
  if (!table) return kNever;
  return (table->cost >> (kFraction - kCostShift)) + kSymbolPenalty * table->entries.size();
}

Lengths lengths_of(const ShortTable &table) { return Lengths(table.entries.begin(), table.entries.end()); }

}  // namespace stridepack
