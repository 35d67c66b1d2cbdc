/* SPDX-License-Identifier: Apache-2.0 */
#include "frequencies.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace stridepack {
namespace {

// log2(x) for 1 <= x <= 256, rounded down to kFraction bits: one bit for each squaring.
std::uint32_t log2_of(std::uint32_t x) {
  std::uint32_t log = 0;
  while (x >> (log + 1) != 0) log++;
  std::uint64_t m = std::uint64_t{x} << (30 - log);
  for (std::uint32_t i = 0; i < kFraction; i++) {
    m = m * m >> 30;
    log = log << 1 | static_cast<std::uint32_t>(m >> 31);
    m >>= m >> 31;
  }
  return log;
}

const std::array<std::uint32_t, kSlots + 1> kLog2 = [] {
  std::array<std::uint32_t, kSlots + 1> table{};
  for (std::uint32_t x = 1; x <= kSlots; x++) table[x] = log2_of(x);
  return table;
}();

// Whole numbers in proportion to the counts that sum up to 256, each at most 255, and at least 1 where the count is.
Frequencies normalise(const Counts &counts) {
  std::uint64_t n = 0;
  for (const auto count : counts) n += count;
  Frequencies f(counts.size());
  std::uint32_t sum = 0;
  for (std::size_t s = 0; s < f.size(); s++) {
    if (counts[s] == 0) continue;
    const std::uint64_t rounded = (counts[s] * kSlots + n / 2) / n;
    f[s] = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(rounded, 1, kSlots - 1));
    sum += f[s];
  }
  if (std::count(counts.begin(), counts.end(), std::uint64_t{0}) + 1 == static_cast<std::ptrdiff_t>(counts.size())) {
    f[counts[0] == 0 ? 0 : 1] = 1;  // one symbol has all the counts: 255, and 1 for another
    return f;
  }
  for (; sum > kSlots; sum--) {  // take from whom it costs least
    std::size_t best = f.size();
    std::uint64_t least = 0;
    for (std::size_t s = 0; s < f.size(); s++) {
      if (f[s] < 2) continue;
      const std::uint64_t loss = counts[s] * (kLog2[f[s]] - kLog2[f[s] - 1]);
      if (best == f.size() || loss < least) best = s, least = loss;
    }
    f[best]--;
  }
  for (; sum < kSlots; sum++) {  // give to whom it helps most
    std::size_t best = f.size();
    std::uint64_t most = 0;
    for (std::size_t s = 0; s < f.size(); s++) {
      if (f[s] == 0 || f[s] == kSlots - 1) continue;
      const std::uint64_t gain = counts[s] * (kLog2[f[s] + 1] - kLog2[f[s]]);
      if (best == f.size() || gain > most) best = s, most = gain;
    }
    f[best]++;
  }
  return f;
}

// With the table, its frequencies one by one.
std::uint64_t plain_cost(const Counts &counts) {
  return bits_of(counts) + (counts.size() > 1 ? std::uint64_t{8 * counts.size()} << kFraction : 0);
}

// Ranks stand for frequencies; that of the first symbol of the lowest rank is what the others leave of all slots.
constexpr std::uint32_t kFrequencyOf[] = {192, 128, 96, 64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1, 0};

bool to_frequencies(RankList &ranks) {
  const auto lowest = std::min_element(ranks.begin(), ranks.end());
  std::uint32_t others = 0;
  for (auto rank = ranks.begin(); rank != ranks.end(); ++rank) {
    if (rank == lowest) continue;
    const std::uint32_t frequency = kFrequencyOf[*rank];
    others += frequency;
  }
  if (others == 0 || others >= kSlots) return false;
  for (auto rank = ranks.begin(); rank != ranks.end(); ++rank) {
    *rank = rank == lowest ? kSlots - others : kFrequencyOf[*rank];
  }
  return true;
}

const RankCode kFrequencyRanks = [] {
  RankCode code{{},
                {},
                [](const RankCode &, RankList &, const Counts &, const std::vector<std::uint32_t> &) { return true; },
                to_frequencies,
                [](std::uint32_t f) { return std::uint64_t{(8u << kFraction) - kLog2[f]}; }};
  for (std::size_t rank = 0; rank < code.bits.size(); rank++) {
    const std::uint32_t f = kFrequencyOf[rank];
    code.bits[rank] = f != 0 ? (8u << kFraction) - kLog2[f] : kNever;
    code.space[rank] = f * (kRankSpace / kSlots);
  }
  return code;
}();

}  // namespace

std::uint64_t bits_of(const Counts &counts) {
  if (counts.size() < 2) return 0;
  const Frequencies f = normalise(counts);
  std::uint64_t cost = 0;
  for (std::size_t s = 0; s < f.size(); s++) {
    if (counts[s] != 0) cost += counts[s] * ((8u << kFraction) - kLog2[f[s]]);
  }
  return cost;
}

// 8 bits a symbol, or 9 for each digit of their number.
std::uint64_t estimated_cost(const Counts &counts) {
  if (counts.size() < 2) return 0;
  std::size_t digits = 0;
  while (counts.size() >> digits != 0) digits++;
  return bits_of(counts) + (std::uint64_t{std::min(8 * counts.size(), 9 * digits)} << kFraction);
}

std::uint64_t value_table_cost(const ValueCode &code) {
  const std::uint64_t plain = plain_cost(code.counts);
  if (code.counts.size() < 2) return plain;
  const auto table = short_value_table(code.counts, kFrequencyRanks, code.n_positive, code.n_negative);
  if (!table) return plain;
  return std::min(plain, table->cost + (std::uint64_t{3 * code.counts.size()} << kFraction));
}

TableFrequencies::TableFrequencies(const Counts &gap_counts, const Counts &value_counts, const ValueCode &code) {
  const bool has_gaps = gap_counts.size() > 1, has_values = value_counts.size() > 1;
  if (has_gaps) gaps = normalise(gap_counts);
  if (has_values) values = normalise(value_counts);
  std::optional<ShortTable> short_gaps, short_values;
  if (has_gaps) short_gaps = short_table(gap_counts, kFrequencyRanks);
  if (has_values) {
    short_values = short_value_table(value_counts, kFrequencyRanks, code.n_positive, code.n_negative);
  }
  if ((!has_gaps && !has_values) || (has_gaps && !short_gaps) || (has_values && !short_values)) return;
  std::vector<bool> bits;
  std::uint64_t cost = 0;
  for (const auto *table : {&short_values, &short_gaps}) {
    if (!*table) continue;
    bits.insert(bits.end(), (*table)->description.begin(), (*table)->description.end());
    cost += (*table)->cost;
  }
  cost += std::uint64_t{-bits.size() % 8} << kFraction;  // up to a whole byte
  if (cost >= plain_cost(gap_counts) + plain_cost(value_counts) || bits.size() > 8 * 255) return;
  if (has_gaps) gaps = short_gaps->entries;
  if (has_values) values = short_values->entries;
  description = pack_bits(bits);
}

}  // namespace stridepack
