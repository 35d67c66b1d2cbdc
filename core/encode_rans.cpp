/* SPDX-License-Identifier: Apache-2.0 */
// rans: docs/format.md, section 9. Gaps and values by turns through eight rANS states a block.
//
// What the format leaves to an encoder is chosen by size, in integers: the raw bits of a value first, then those of a
// gap and the jump, and then how frequencies are stored. The candidates are costed from histograms; only the winner is
// encoded.

#include <algorithm>
#include <array>
#include <utility>

#include "checkpoint.hpp"
#include "encode.hpp"
#include "frequencies.hpp"
#include "value_code.hpp"

namespace stridepack {
namespace {

constexpr std::uint32_t kLowest = 256;  // states are at least this between two steps
constexpr struct {
  std::uint32_t symbols, jump;
} kGapSymbols[] = {{16, 0}, {16, 6}, {16, 8}, {48, 0}, {48, 6}, {48, 8}};
constexpr std::uint32_t kRawGapBits = 5;  // raw bits of gaps must save 2^-5 bits an element: they take time to read

// Gaps: the distance from element to element, 1 and up. Regular symbol s stands for 1 + (s << raw_bits) and raw bits;
// the last one for 2^jump, where there is a jump. Longer distances are bridged by elements that are zero.
struct GapCode {
  std::uint32_t raw_bits, jump, classes;  // classes: how many regular symbols there may be
  Counts counts;
  std::uint64_t n_zeros = 0;

  std::uint32_t longest() const { return classes << raw_bits; }

  // What a distance needs: jumps, steps of `longest`, and the rest.
  struct Way {
    std::uint32_t jumps, steps, rest;
  };
  Way way(std::uint32_t distance) const {
    const std::uint32_t jumps = jump != 0 ? (distance - 1) >> jump : 0;
    distance -= jumps << jump;
    const std::uint32_t steps = (distance - 1) / longest();
    return {jumps, steps, distance - steps * longest()};
  }

  GapCode(const std::vector<std::uint32_t> &histogram, std::uint32_t bits, std::uint32_t jump_log, std::uint32_t most)
      : raw_bits(bits), jump(jump_log), classes(most), counts(most) {
    std::uint64_t jumps = 0;
    for (std::uint32_t d = 1; d < histogram.size(); d++) {
      if (histogram[d] == 0) continue;
      const Way w = way(d);
      jumps += std::uint64_t{w.jumps} * histogram[d];
      counts[most - 1] += std::uint64_t{w.steps} * histogram[d];
      n_zeros += std::uint64_t{w.jumps + w.steps} * histogram[d];
      counts[(w.rest - 1) >> raw_bits] += histogram[d];
    }
    while (counts.size() > 1 && counts.back() == 0) counts.pop_back();
    if (jump != 0) counts.push_back(jumps);
  }
};

struct Element {
  std::uint8_t gap, gap_raw, value, value_raw;
};

// How many slots each symbol has, and where they start. Empty for one symbol alone.
struct Table {
  Frequencies f;
  std::array<std::uint32_t, kSlots + 1> start{};

  explicit Table(Frequencies frequencies) : f(std::move(frequencies)) {
    for (std::size_t s = 0; s < f.size(); s++) start[s + 1] = start[s] + f[s];
  }
  void push(std::uint32_t &x, std::uint32_t s, std::vector<std::uint8_t> &out) const {
    if (f.empty()) return;
    if (x >= f[s] << 8) out.push_back(static_cast<std::uint8_t>(x)), x >>= 8;
    x = (x / f[s]) << 8 | (start[s] + x % f[s]);
  }
};

// The elements of a block, with those that bridge.
struct Block {
  std::vector<Element> elements;
  std::vector<std::uint32_t> ends;  // of each element: one behind its position
};

std::vector<std::uint32_t> distances_of(const Tile &tile, std::uint32_t block_size) {
  std::vector<std::uint32_t> histogram(1);
  for (std::uint32_t begin = 0; begin < tile.n; begin += block_size) {
    const std::uint32_t length = std::min(block_size, tile.n - begin);
    std::uint32_t next = 0;
    for (std::uint32_t c = 0; c < length; c++) {
      if (tile.values[begin + c] == 0) continue;
      const std::uint32_t distance = c + 1 - next;
      if (distance >= histogram.size()) histogram.resize(distance + 1);
      histogram[distance]++;
      next = c + 1;
    }
  }
  return histogram;
}

Block block_of(const std::int8_t *values, std::uint32_t length, const GapCode &gaps, const ValueCode &code) {
  Block block;
  std::array<Element, 256> element_of{};
  for (std::uint32_t byte = 0; byte < 256; byte++) {
    element_of[byte].value = static_cast<std::uint8_t>(code.symbol(byte));
    element_of[byte].value_raw = static_cast<std::uint8_t>(code.raw(byte));
  }
  std::uint32_t next = 0;
  const auto store = [&](std::uint32_t distance, std::uint32_t gap, std::uint32_t raw) {
    next += distance;
    Element element = element_of[static_cast<std::uint8_t>(values[next - 1])];
    element.gap = static_cast<std::uint8_t>(gap);
    element.gap_raw = static_cast<std::uint8_t>(raw);
    block.elements.push_back(element);
    block.ends.push_back(next);
  };
  const std::uint32_t mask = (1u << gaps.raw_bits) - 1;
  const auto jump_symbol = static_cast<std::uint32_t>(gaps.counts.size() - 1);
  for (std::uint32_t c = 0; c < length; c++) {
    if (values[c] == 0) continue;
    const GapCode::Way w = gaps.way(c + 1 - next);
    for (std::uint32_t i = 0; i < w.jumps; i++) store(1u << gaps.jump, jump_symbol, 0);
    for (std::uint32_t i = 0; i < w.steps; i++) store(gaps.longest(), gaps.classes - 1, mask);
    store(w.rest, (w.rest - 1) >> gaps.raw_bits, (w.rest - 1) & mask);
  }
  return block;
}

// What the stream `blocks` says of one.
struct Record {
  std::uint32_t n;
  std::array<std::uint32_t, SPK_RANS_LANES> states, ends, distances, sizes;  // distances: of the ends from even shares
};

struct Streams {
  std::vector<std::uint8_t> bytes, value_bits, gap_bits;
  std::vector<Record> blocks;
  bool too_long = false;                       // the lanes of some block have more than 65535 bytes
  bool wide_ends = false, wide_sizes = false;  // some do not fit a byte

  void add(const Block &block, std::uint32_t length, const GapCode &gaps, const Table &gap_table, const ValueCode &code,
           const Table &value_table) {
    constexpr std::size_t lanes = SPK_RANS_LANES;
    const std::size_t n = block.elements.size(), rows = (n + lanes - 1) / lanes;
    Record record{static_cast<std::uint32_t>(n), {}, {}, {}, {}};
    const std::size_t rows_in_byte = code.raw_bits != 0 ? 8 / code.raw_bits : 1;
    const std::size_t value_begin = value_bits.size(), gap_begin = gap_bits.size(), bytes_begin = bytes.size();
    if (code.raw_bits != 0) value_bits.resize(value_begin + (rows + rows_in_byte - 1) / rows_in_byte * lanes);
    gap_bits.resize(gap_begin + rows * gaps.raw_bits);

    std::size_t begin = 0;
    std::vector<std::uint8_t> stream;
    for (std::size_t lane = 0; lane < lanes; lane++) {
      const std::size_t end = begin + (n + lanes - 1 - lane) / lanes;
      std::uint32_t x = kLowest;
      stream.clear();
      for (std::size_t i = end; i-- > begin;) {
        const Element &element = block.elements[i];
        value_table.push(x, element.value, stream);
        gap_table.push(x, element.gap, stream);
        const std::size_t row = i - begin;
        if (code.raw_bits != 0) {
          std::uint8_t &byte = value_bits[value_begin + row / rows_in_byte * lanes + lane];
          byte = static_cast<std::uint8_t>(byte | element.value_raw << row % rows_in_byte * code.raw_bits);
        }
        if (gaps.raw_bits != 0) {
          const std::size_t bit = lane * gaps.raw_bits;
          std::uint8_t &byte = gap_bits[gap_begin + row * gaps.raw_bits + bit / 8];
          byte = static_cast<std::uint8_t>(byte | element.gap_raw << bit % 8);
        }
      }
      bytes.insert(bytes.end(), stream.rbegin(), stream.rend());
      record.states[lane] = x;
      record.ends[lane] = end != 0 ? block.ends[end - 1] : 0;
      record.distances[lane] = record.ends[lane] - static_cast<std::uint32_t>((lane + 1) * length / lanes);
      record.sizes[lane] = static_cast<std::uint32_t>(stream.size());
      wide_ends = wide_ends || record.distances[lane] + 128 > 255;
      wide_sizes = wide_sizes || stream.size() > 255;
      begin = end;
    }
    too_long = too_long || bytes.size() - bytes_begin > 65535;
    blocks.push_back(record);
  }
};

}  // namespace

void encode_rans(const Tile &tile, const EncodeOptions &, StreamWriter &out) {
  std::array<std::uint64_t, 256> histogram{};
  for (std::uint32_t c = 0; c < tile.n; c++) histogram[static_cast<std::uint8_t>(tile.values[c])]++;

  ValueCode code;
  std::uint64_t least = ~std::uint64_t{0};
  for (const std::uint32_t bits : {4u, 2u, 0u}) {
    const ValueCode candidate(histogram, bits);
    const std::uint64_t raw = std::uint64_t{tile.n - histogram[0]} * bits << kFraction;
    const std::uint64_t cost = value_table_cost(candidate) + raw;
    if (cost < least) least = cost, code = candidate;
  }

  // Blocks are halved where the bytes of one would exceed what 16 bits count, which none of half the length can.
  for (std::uint32_t half = 0;; half++) {
    const std::uint32_t block_size = SPK_RANS_BLOCK >> half;
    const std::vector<std::uint32_t> distances = distances_of(tile, block_size);
    GapCode gaps(distances, 0, 0, 1);
    Counts value_counts = code.with_zeros(gaps.n_zeros);
    least = bits_of(value_counts) + (gaps.n_zeros * code.raw_bits << kFraction);
    for (const std::uint32_t bits : {0u, 1u, 2u, 4u}) {
      for (const auto &[symbols, jump] : kGapSymbols) {
        const std::uint32_t most = symbols - (jump != 0);
        if (jump != 0 && most << bits >= 1u << jump) continue;
        GapCode candidate(distances, bits, jump, most);
        if (jump != 0 && candidate.counts.back() == 0) continue;
        const Counts values = code.with_zeros(candidate.n_zeros);
        const std::uint64_t n = tile.n - histogram[0] + candidate.n_zeros;
        const std::uint64_t raw = n * bits + candidate.n_zeros * code.raw_bits;
        std::uint64_t cost = bits_of(values) + estimated_cost(candidate.counts) + (raw << kFraction);
        if (bits != 0) cost += n << kFraction >> kRawGapBits;
        if (cost < least) least = cost, gaps = candidate, value_counts = values;
      }
    }

    TableFrequencies tables(gaps.counts, value_counts, code);
    const Table gap_table(std::move(tables.gaps)), value_table(std::move(tables.values));
    Streams streams;
    for (std::uint32_t begin = 0; begin < tile.n; begin += block_size) {
      const std::uint32_t length = std::min(block_size, tile.n - begin);
      checkpoint(8 * length);
      streams.add(block_of(tile.values + begin, length, gaps, code), length, gaps, gap_table, code, value_table);
    }
    if (streams.too_long && half == 0) continue;

    out.u8(code.raw_bits | gaps.raw_bits << 4);
    const std::uint32_t wide = streams.wide_ends | static_cast<std::uint32_t>(streams.wide_sizes) << 1;
    out.u8((gaps.n_zeros != 0) | half << 1 | wide << 2 | gaps.jump << 4);
    out.u8(static_cast<std::uint32_t>(gaps.counts.size()));
    out.u8(static_cast<std::uint32_t>(tables.description.size()));
    out.u8(code.n_positive), out.u8(code.n_negative), out.u8(code.first_positive), out.u8(code.first_negative);
    out.bytes(tables.description);
    for (const auto *table : {&gap_table, &value_table}) {
      for (const auto f : table->f) {
        if (tables.description.empty()) out.u8(f);
      }
    }
    for (const Record &record : streams.blocks) {
      out.u16(record.n);
      for (const auto state : record.states) out.u16(state);
      for (const auto distance : record.distances) {
        if (!streams.wide_ends) out.u8(distance);
      }
      for (const auto end : record.ends) {
        if (streams.wide_ends) out.u16(end);
      }
      for (const auto size : record.sizes) streams.wide_sizes ? out.u16(size) : out.u8(size);
    }
    out.bytes(std::move(streams.bytes));
    out.align();
    out.bytes(std::move(streams.value_bits));
    out.bytes(std::move(streams.gap_bits));
    return;
  }
}

}  // namespace stridepack
