/* SPDX-License-Identifier: Apache-2.0 */
// huffman: docs/format.md, section 10. Values, and gaps or a bitmap; values and gaps each in a canonical Huffman code.
//
// What the format leaves to an encoder is chosen by size, in integers: how positions are stored, the raw bits of a
// value, and how the lengths of codes are. Every candidate is costed from histograms; only the winner is encoded.

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "checkpoint.hpp"
#include "code_lengths.hpp"
#include "encode.hpp"
#include "value_code.hpp"

namespace stridepack {
namespace {

// Costs count more than bits for what takes a decoder time.
constexpr struct {
  std::uint32_t bits, penalty;  // penalty: of a value, for the lookups that it takes
} kRawBits[] = {{4, 0}, {2, 1}, {0, 1}};

constexpr std::uint32_t kGapPenalty = 1;  // of a gap that has a code, for the lookups
constexpr std::uint32_t kLongestGaps[] = {0, 1, 16, 32, SPK_HUFFMAN_MAX_GAPS};  // 0: a bitmap

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
  std::vector<PlainCode> plain_without_zeros;  // most candidates of gaps store none
  std::vector<std::optional<ShortTable>> short_without_zeros(std::size(kRawBits));
  for (const auto &raw : kRawBits) {
    value_candidates.emplace_back(histogram, raw.bits);
    plain_without_zeros.emplace_back(value_candidates.back().counts, 0);
  }
  GapCode gaps(distances, 0);
  ValueCode values;
  Lengths gap_lengths, value_lengths;
  std::vector<std::uint8_t> description;
  std::uint64_t least = ~std::uint64_t{0};
  for (const std::uint32_t longest : kLongestGaps) {
    const GapCode candidate(distances, longest);
    const std::uint64_t n = tile.n - histogram[0] + candidate.n_zeros;
    const bool has_gap_code = candidate.counts.size() > 1;
    const PlainCode plain_gaps(candidate.counts, kLongPenalty);
    std::optional<ShortTable> short_gaps;
    std::uint64_t positions_cost = longest == 0 ? std::uint64_t{tile.n} << kCostShift : 0;
    if (has_gap_code) positions_cost += n * kGapPenalty;
    for (std::size_t i = 0; i < value_candidates.size(); i++) {
      const ValueCode &code = value_candidates[i];
      const bool has_zeros = candidate.n_zeros != 0;
      const Counts counts = code.with_zeros(candidate.n_zeros);
      const PlainCode plain = has_zeros ? PlainCode(counts, 0) : plain_without_zeros[i];
      const std::uint64_t per_value = (kRawBits[i].bits << kCostShift) + kRawBits[i].penalty;
      const std::uint64_t fixed_cost = positions_cost + n * per_value, cost = fixed_cost + plain_gaps.cost + plain.cost;
      if (cost < least) {
        least = cost, gaps = candidate, values = code;
        gap_lengths = plain_gaps.lengths, value_lengths = plain.lengths;
        description.clear();
      }
      const bool has_value_code = counts.size() > 1;
      const std::size_t n_symbols = (has_gap_code ? candidate.counts.size() : 0) + (has_value_code ? counts.size() : 0);
      const std::uint64_t bound = fixed_cost + plain_gaps.bound + plain.bound + kSymbolPenalty * n_symbols;
      if (bound >= least || n_symbols == 0) continue;

      if (has_gap_code && !short_gaps) short_gaps = short_table(candidate.counts, kLengthRanks);
      std::optional<ShortTable> short_values;
      std::optional<ShortTable> &short_code = has_zeros ? short_values : short_without_zeros[i];
      if (has_value_code && !short_code) {
        short_code = short_value_table(counts, kLengthRanks, code.n_positive, code.n_negative);
      }
      const std::uint64_t short_cost =
          fixed_cost + (has_gap_code ? cost_of(short_gaps) : 0) + (has_value_code ? cost_of(short_code) : 0);
      if (short_cost >= least) continue;
      std::vector<bool> bits;
      if (has_value_code) bits = short_code->description;
      if (has_gap_code) bits.insert(bits.end(), short_gaps->description.begin(), short_gaps->description.end());
      if (bits.size() > 8 * 255) continue;
      least = short_cost, gaps = candidate, values = code;
      gap_lengths = has_gap_code ? lengths_of(*short_gaps) : plain_gaps.lengths;
      value_lengths = has_value_code ? lengths_of(*short_code) : plain.lengths;
      description = pack_bits(bits);
    }
    if (longest != 0 && longest + 1 >= distances.size()) break;  // with a longer one it would be the same code
  }

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

  const auto n_stored = static_cast<std::uint32_t>(raw.size());
  const auto positions_size = static_cast<std::uint32_t>(positions.size());
  const auto n_gaps = static_cast<std::uint32_t>(gaps.counts.size());
  const bool wide = n_stored > 0xFFFF || (n_gaps > 1 && positions_size > 0xFFFF);
  std::vector<std::uint8_t> lengths;
  if (gap_lengths.size() > 1) lengths.insert(lengths.end(), gap_lengths.begin(), gap_lengths.end());
  if (value_lengths.size() > 1) lengths.insert(lengths.end(), value_lengths.begin(), value_lengths.end());
  const std::size_t lengths_size = description.empty() ? (lengths.size() + 1) / 2 : description.size();
  const std::size_t header_size = 7 + (wide ? 4u : 2u) * (n_gaps > 1 ? 2u : 1u);
  const std::size_t alignment = -(header_size + lengths_size + positions_size + value_codes.end().size()) % 4;

  out.u8(values.raw_bits | static_cast<std::uint32_t>(gaps.n_zeros != 0) << 3 |
         static_cast<std::uint32_t>(alignment) << 4 | static_cast<std::uint32_t>(wide) << 6);
  out.u8(n_gaps), out.u8(static_cast<std::uint32_t>(description.size()));
  out.u8(values.n_positive), out.u8(values.n_negative), out.u8(values.first_positive), out.u8(values.first_negative);
  wide ? out.u32(n_stored) : out.u16(n_stored);
  if (n_gaps > 1) wide ? out.u32(positions_size) : out.u16(positions_size);
  description.empty() ? out.nibbles(lengths) : out.bytes(description);
  out.bytes(positions);
  out.bytes(value_codes.end());
  out.align();
  out.bytes(pack_raw_bits(raw, values.raw_bits));
  out.align();
}

}  // namespace stridepack
