// huffman: docs/format.md, section 10. Values, and gaps or a bitmap; values and gaps each in a canonical Huffman code.
//
// What the format leaves to an encoder is chosen by size, in integers: how positions are stored, and the raw bits of a
// value. Every candidate is costed from histograms; only the winner is encoded.

#include <algorithm>
#include <array>
#include <utility>

#include "checkpoint.hpp"
#include "encode.hpp"
#include "value_code.hpp"

namespace stridepack {
namespace {

constexpr std::uint32_t kMaxLength = SPK_HUFFMAN_MAX_LENGTH;
constexpr std::uint32_t kIndexBits = 8;  // of a decoder's lookup

constexpr std::uint32_t kLongPenalty = 1;  // bits that a longer code has to save

// Costs are in units of 2^-4 bit, and count more than bits for what takes a decoder time.
constexpr std::uint32_t kCostShift = 4;
constexpr struct {
  std::uint32_t bits, penalty;  // penalty: of a value, for the lookups that it takes
} kRawBits[] = {{4, 0}, {2, 1}, {0, 1}};

constexpr std::uint32_t kGapPenalty = 1;  // of a gap that has a code, for the lookups
constexpr std::uint32_t kLongestGaps[] = {0, 1, 16, 32, SPK_HUFFMAN_MAX_GAPS};  // 0: a bitmap

using Counts = std::vector<std::uint64_t>;
using Lengths = std::vector<std::uint8_t>;

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

Lengths code_lengths(const Counts &counts) {
  const Lengths lengths = limited_lengths(counts, kMaxLength);
  if (lengths.empty() || *std::max_element(lengths.begin(), lengths.end()) <= kIndexBits) return lengths;
  const Lengths shorter = limited_lengths(counts, kIndexBits);
  return bits_of(counts, shorter, kLongPenalty) < bits_of(counts, lengths, kLongPenalty) ? shorter : lengths;
}

// With the lengths. One symbol alone needs none, and no code.
std::uint64_t cost_of(const Counts &counts, std::uint32_t long_penalty) {
  if (counts.size() < 2) return 0;
  return (bits_of(counts, code_lengths(counts), long_penalty) + 4 * counts.size()) << kCostShift;
}

// Gaps: the distance from element to element; symbol s stands for 1 + s. Longer distances than `longest` are bridged by
// elements that are zero. None where `longest` is 0.
struct GapCode {
  std::uint32_t longest = 0;
  Counts counts;
  std::uint64_t n_zeros = 0;

  // histogram: of the distances from non-zero to non-zero.
  GapCode(const std::vector<std::uint32_t> &histogram, std::uint32_t most) : longest(most), counts(most) {
    for (std::uint32_t d = 1; longest != 0 && d < histogram.size(); d++) {
      const std::uint64_t steps = std::uint64_t{(d - 1) / longest} * histogram[d];
      counts[longest - 1] += steps;
      counts[(d - 1) % longest] += histogram[d];
      n_zeros += steps;
    }
    while (counts.size() > 1 && counts.back() == 0) counts.pop_back();
  }
};

// Codes one after the other, most significant bit first.
class CodeWriter {
 public:
  explicit CodeWriter(const Lengths &lengths) : lengths_(lengths), codes_(lengths.size()) {
    std::uint32_t code = 0;
    for (std::uint32_t length = 1; length <= kMaxLength; length++, code <<= 1) {
      for (std::size_t s = 0; s < lengths.size(); s++) {
        if (lengths[s] == length) codes_[s] = code++;
      }
    }
  }

  void put(std::uint32_t symbol) {
    held_ = held_ << lengths_[symbol] | codes_[symbol];
    for (n_held_ += lengths_[symbol]; n_held_ >= 8; n_held_ -= 8) {
      stream_.push_back(static_cast<std::uint8_t>(held_ >> (n_held_ - 8)));
    }
  }
  const std::vector<std::uint8_t> &end() {
    if (n_held_ != 0) stream_.push_back(static_cast<std::uint8_t>(held_ << (8 - n_held_)));
    n_held_ = 0;
    return stream_;
  }

 private:
  Lengths lengths_;
  std::vector<std::uint32_t> codes_;
  std::vector<std::uint8_t> stream_;
  std::uint32_t held_ = 0, n_held_ = 0;  // the last bits, fewer than 8 between two codes
};

// The raw bits of values, in groups of 16 bytes.
std::vector<std::uint8_t> pack_raw_bits(const std::vector<std::uint8_t> &raw, std::uint32_t bits) {
  std::vector<std::uint8_t> packed((raw.size() * bits + 7) / 8);
  const std::size_t in_group = bits != 0 ? 128 / bits : 1;
  for (std::size_t i = 0; bits != 0 && i < raw.size(); i++) {
    const std::size_t group = i / in_group, size = std::min(in_group, raw.size() - group * in_group);
    const std::size_t n_bytes = (size * bits + 7) / 8, in = i % in_group;
    std::uint8_t &byte = packed[16 * group + in % n_bytes];
    byte = static_cast<std::uint8_t>(byte | raw[i] << in / n_bytes * bits);
  }
  return packed;
}

}  // namespace

void encode_huffman(const Tile &tile, const EncodeOptions &, StreamWriter &out) {
  std::array<std::uint64_t, 256> histogram{};
  std::vector<std::uint32_t> distances(1);  // how often each lies between non-zeros
  std::uint32_t next = 0;                   // one behind the last one
  for (std::uint32_t c = 0; c < tile.n; c++) {
    histogram[static_cast<std::uint8_t>(tile.values[c])]++;
    if (tile.values[c] == 0) continue;
    const std::uint32_t distance = c + 1 - next;
    if (distance >= distances.size()) distances.resize(distance + 1);
    distances[distance]++;
    next = c + 1;
  }

  std::vector<ValueCode> value_candidates;
  std::vector<std::uint64_t> costs_without_zeros;  // most candidates of gaps store none
  for (const auto &raw : kRawBits) {
    value_candidates.emplace_back(histogram, raw.bits);
    costs_without_zeros.push_back(cost_of(value_candidates.back().counts, 0));
  }
  GapCode gaps(distances, 0);
  ValueCode values;
  std::uint64_t least = ~std::uint64_t{0};
  for (const std::uint32_t longest : kLongestGaps) {
    const GapCode candidate(distances, longest);
    const std::uint64_t n = tile.n - histogram[0] + candidate.n_zeros;
    std::uint64_t gap_cost = cost_of(candidate.counts, kLongPenalty);
    if (longest == 0) gap_cost = std::uint64_t{tile.n} << kCostShift;
    if (candidate.counts.size() > 1) gap_cost += n * kGapPenalty;
    for (std::size_t i = 0; i < value_candidates.size(); i++) {
      const std::uint64_t per_value = (kRawBits[i].bits << kCostShift) + kRawBits[i].penalty;
      const std::uint64_t value_cost = candidate.n_zeros == 0
                                           ? costs_without_zeros[i]
                                           : cost_of(value_candidates[i].with_zeros(candidate.n_zeros), 0);
      const std::uint64_t cost = gap_cost + value_cost + n * per_value;
      if (cost < least) least = cost, gaps = candidate, values = value_candidates[i];
    }
    if (longest != 0 && longest + 1 >= distances.size()) break;  // with a longer one it would be the same code
  }

  const Lengths gap_lengths = code_lengths(gaps.counts);
  const Lengths value_lengths = code_lengths(values.with_zeros(gaps.n_zeros));
  CodeWriter gap_codes(gap_lengths), value_codes(value_lengths);
  std::array<std::uint8_t, 256> symbol_of{}, raw_of{};
  for (std::uint32_t byte = 0; byte < 256; byte++) {
    symbol_of[byte] = static_cast<std::uint8_t>(values.symbol(byte));
    raw_of[byte] = static_cast<std::uint8_t>(values.raw(byte));
  }
  std::vector<std::uint8_t> raw, bitmap;
  const auto store = [&](std::uint32_t position) {
    const auto byte = static_cast<std::uint8_t>(tile.values[position]);
    value_codes.put(symbol_of[byte]);
    raw.push_back(raw_of[byte]);
  };
  next = 0;
  if (gaps.longest == 0) bitmap.resize((tile.n + 7) / 8);
  for (std::uint32_t c = 0; c < tile.n; c++) {
    if (c % 4096 == 0) checkpoint(4096);
    if (tile.values[c] == 0) continue;
    if (gaps.longest == 0) {
      bitmap[c / 8] = static_cast<std::uint8_t>(bitmap[c / 8] | 0x80u >> c % 8);
      store(c);
      continue;
    }
    while (next <= c) {
      const std::uint32_t gap = std::min(c + 1 - next, gaps.longest);
      gap_codes.put(gap - 1);
      next += gap;
      store(next - 1);
    }
  }
  const std::vector<std::uint8_t> &positions = gaps.longest == 0 ? bitmap : gap_codes.end();

  const std::size_t alignment = -value_codes.end().size() % 4;
  out.u32(static_cast<std::uint32_t>(raw.size()));
  out.u32(static_cast<std::uint32_t>(positions.size()));
  out.u8(values.raw_bits), out.u8(gaps.n_zeros != 0), out.u8(static_cast<std::uint32_t>(gaps.counts.size())),
      out.u8(static_cast<std::uint32_t>(alignment));
  out.u8(values.n_positive), out.u8(values.n_negative), out.u8(values.first_positive), out.u8(values.first_negative);
  std::vector<std::uint8_t> lengths;
  if (gap_lengths.size() > 1) lengths.insert(lengths.end(), gap_lengths.begin(), gap_lengths.end());
  if (value_lengths.size() > 1) lengths.insert(lengths.end(), value_lengths.begin(), value_lengths.end());
  out.nibbles(lengths);
  out.align();
  out.bytes(pack_raw_bits(raw, values.raw_bits));
  out.align();
  out.bytes(positions);
  out.align();
  out.bytes(value_codes.end());
  out.align();
}

}  // namespace stridepack
