/* SPDX-License-Identifier: Apache-2.0 */
// Ranks that cost least: a path through the symbols, on which each costs its code, the space that it takes, and what a
// description of its rank takes after that of the symbol before.

#include "ranks.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace stridepack {
namespace {

constexpr std::uint32_t kRanks = 16;
constexpr std::uint32_t kPrices[] = {20, 24, 28, 32};   // of the space, in 1/16 bit for each count
constexpr std::uint32_t kSame = 1u << (kFraction - 2);  // estimated cost of a symbol that continues a run,
constexpr std::uint32_t kChange = 3u << kFraction;      // and of one that does not, besides its step

// Bits of a step from one rank to another: 1 for +1, 2 for -1, 3 for +2, ...
std::uint32_t step_bits(std::uint32_t from, std::uint32_t to) {
  return to > from ? 2 * (to - from) - 1 : 2 * (from - to);
}

using Row = std::array<std::uint64_t, kRanks>;

// The ranks that cost least where the space has that price.
RankList cheapest(const Counts &counts, const std::vector<std::uint32_t> &shares, const RankCode &code,
                  std::uint64_t price) {
  static const std::array<Row, kRanks> change = [] {
    std::array<Row, kRanks> costs{};
    for (std::uint32_t from = 0; from < kRanks; from++) {
      for (std::uint32_t to = 0; to < kRanks; to++) {
        costs[to][from] = static_cast<std::uint64_t>(rank_change_cost(from, to));
      }
    }
    return costs;
  }();
  const std::size_t n = counts.size();
  std::vector<std::array<std::uint8_t, kRanks>> before(n);
  Row cost{}, next{};
  for (std::size_t s = 0; s < n; s++) {
    for (std::uint32_t to = 0; to < kRanks; to++) {
      std::uint64_t least = 0;
      if (s != 0) {
        std::uint32_t best = 0;
        least = cost[0] + change[to][0];
        for (std::uint32_t from = 1; from < kRanks; from++) {
          const std::uint64_t way = cost[from] + change[to][from];
          if (way < least) least = way, best = from;
        }
        before[s][to] = static_cast<std::uint8_t>(best);
      }
      const bool never = code.bits[to] == kNever;
      const std::uint64_t own = never ? (counts[s] != 0 ? kNever : 0) : counts[s] * code.bits[to];
      next[to] = std::min(least + own + (price * code.space[to] * shares[s] >> 4), kNever);
    }
    cost = next;
  }
  RankList ranks(n);
  auto rank = static_cast<std::uint32_t>(std::min_element(cost.begin(), cost.end()) - cost.begin());
  for (std::size_t s = n; s-- > 0;) {
    ranks[s] = rank;
    rank = before[s][rank];
  }
  return ranks;
}

void describe(const RankList &ranks, std::vector<bool> &bits) {
  const auto put = [&](std::uint32_t number, std::uint32_t count) {
    while (count-- > 0) bits.push_back((number >> count & 1u) != 0);
  };
  put(ranks[0], 4);
  for (std::size_t begin = 0, end = 1; end <= ranks.size(); end++) {
    if (end < ranks.size() && ranks[end] == ranks[begin]) continue;
    const auto run = static_cast<std::uint32_t>(end - begin);
    std::uint32_t digits = 0;
    while (run >> (digits + 1) != 0) digits++;
    put(0, digits), put(run, digits + 1);
    if (end < ranks.size()) put(1, step_bits(ranks[begin], ranks[end]));
    begin = end;
  }
}

// Symbols that share their ranks.
struct Shared {
  Counts counts;
  std::vector<std::uint32_t> shares, of_symbol;  // how many share a rank; which rank a symbol has
  std::vector<bool> prefix;                      // of the description
};

// The best table of all prices takes the place of best where it costs less.
void improve(std::optional<ShortTable> &best, const Counts &counts, const Shared &shared, const RankCode &code) {
  const std::uint64_t n = std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
  for (const std::uint64_t price : kPrices) {
    RankList ranks = cheapest(shared.counts, shared.shares, code, price * n);
    if (!code.fill(code, ranks, shared.counts, shared.shares)) continue;
    RankList entries(counts.size());
    for (std::size_t s = 0; s < counts.size(); s++) entries[s] = ranks[shared.of_symbol[s]];
    if (!code.to_entries(entries)) continue;
    std::vector<bool> bits = shared.prefix;
    describe(ranks, bits);
    std::uint64_t cost = std::uint64_t{bits.size()} << kFraction;
    for (std::size_t s = 0; s < counts.size(); s++) {
      if (counts[s] != 0) cost += counts[s] * code.entry_bits(entries[s]);
    }
    if (!best || cost < best->cost) best = ShortTable{cost, std::move(bits), std::move(entries)};
  }
}

Shared apart(const Counts &counts) {
  Shared shared{counts, std::vector<std::uint32_t>(counts.size(), 1), std::vector<std::uint32_t>(counts.size()), {}};
  std::iota(shared.of_symbol.begin(), shared.of_symbol.end(), 0u);
  return shared;
}

}  // namespace

std::int64_t rank_change_cost(std::uint32_t from, std::uint32_t to) {
  return from == to ? kSame : kChange + (std::int64_t{step_bits(from, to)} << kFraction);
}

std::optional<ShortTable> short_table(const Counts &counts, const RankCode &code) {
  std::optional<ShortTable> best;
  improve(best, counts, apart(counts), code);
  return best;
}

std::optional<ShortTable> short_value_table(const Counts &counts, const RankCode &code, std::uint32_t n_positive,
                                            std::uint32_t n_negative) {
  std::optional<ShortTable> best;
  Shared shared = apart(counts);
  shared.prefix = {false};
  improve(best, counts, shared, code);
  if (n_positive == 0 || n_negative == 0) return best;

  const std::uint32_t n_magnitudes = std::max(n_positive, n_negative);
  const std::size_t n = n_magnitudes + counts.size() - n_positive - n_negative;
  shared = {Counts(n), std::vector<std::uint32_t>(n), {}, {true}};
  for (std::uint32_t s = 0; s < counts.size(); s++) {
    std::uint32_t rank = s < n_positive ? s : s - n_positive;
    if (s == n_positive + n_negative) rank = n_magnitudes;
    shared.counts[rank] += counts[s];
    shared.shares[rank]++;
    shared.of_symbol.push_back(rank);
  }
  improve(best, counts, shared, code);
  return best;
}

std::vector<std::uint8_t> pack_bits(const std::vector<bool> &bits) {
  std::vector<std::uint8_t> bytes((bits.size() + 7) / 8);
  for (std::size_t i = 0; i < bits.size(); i++) {
    if (bits[i]) bytes[i / 8] = static_cast<std::uint8_t>(bytes[i / 8] | 0x80u >> i % 8);
  }
  return bytes;
}

}  // namespace stridepack
