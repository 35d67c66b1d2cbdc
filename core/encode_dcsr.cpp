/* SPDX-License-Identifier: Apache-2.0 */
// dcsr: docs/format.md, section 6. Delta-linear encoding (Section III-A-1 of the paper) and dynamic bitwidth
// decomposition (III-A-2).
//
// The paper pads the largest gap of the whole row until nothing overflows. Here padding stays in the group that
// overflows, and a distance between groups that does not fit i8 is stored as it is: one pass, and a dead channel costs
// a few bytes instead of a chain of padding groups. Where nothing overflows the two are the same.

#include "encode_dcsr.hpp"

#include <algorithm>
#include <utility>

#include "checkpoint.hpp"

namespace stridepack {
namespace {

constexpr std::int64_t kLanes = SPK_DCSR_LANES;
constexpr std::int64_t kReach = 255;  // the largest lane offset

using Positions = std::vector<std::int64_t>;

// The positions that are set in a mask, in ascending order; only the next ones are held.
class Ahead {
 public:
  explicit Ahead(const BitMask &mask) : mask_(mask) {}

  // More than kLanes of them, or all that are left.
  const Positions &elements() {
    while (elements_.size() <= static_cast<std::size_t>(kLanes) && word_ < mask_.n_words()) {
      for (std::uint64_t word = mask_.words()[word_]; word != 0; word &= word - 1) {
        elements_.push_back(static_cast<std::int64_t>(word_ * 64) + __builtin_ctzll(word));
      }
      word_++;
    }
    return elements_;
  }
  void drop(std::size_t n) { elements_.erase(elements_.begin(), elements_.begin() + static_cast<std::ptrdiff_t>(n)); }

 private:
  const BitMask &mask_;
  std::size_t word_ = 0;
  Positions elements_;
};

// m = round(N' / k'): N' leaves out the distances that no group can span.
std::int64_t slope_of(const BitMask &mask, std::int64_t n) {
  std::int64_t covered = n, previous = -1, k = 0;
  const auto leave_out = [&](std::int64_t position) {
    if (position - previous > kReach) covered -= position - previous;
    previous = position;
  };
  mask.for_each([&](std::size_t c) { leave_out(static_cast<std::int64_t>(c)), k++; });
  leave_out(n);
  return k == 0 ? 0 : std::min<std::int64_t>((std::max<std::int64_t>(covered, 0) + k / 2) / k, SPK_MAX_SLOPE);
}

// n_j = min S_j, Eq. (2): the least intercept over the lanes.
std::int64_t base_of(const Positions &group, std::int64_t slope) {
  std::int64_t base = group[0];
  for (std::size_t i = 1; i < group.size(); i++) {
    base = std::min(base, group[i] - static_cast<std::int64_t>(i) * slope);
  }
  return base;
}

bool fits(const Positions &group, std::int64_t slope) { return group.back() - base_of(group, slope) <= kReach; }

// Fills the group up to 16 lanes: at the centre of its largest gap, or behind its last element where it has none. That
// stays inside the array: 16 elements next to each other would have fitted, so the next one is further on than that.
void pad(Positions &group) {
  while (static_cast<std::int64_t>(group.size()) < kLanes) {
    std::size_t widest = 0;
    std::int64_t gap = 1;
    for (std::size_t i = 0; i + 1 < group.size(); i++) {
      if (group[i + 1] - group[i] > gap) gap = group[i + 1] - group[i], widest = i;
    }
    if (gap > 1) {
      group.insert(group.begin() + static_cast<std::ptrdiff_t>(widest) + 1, group[widest] + gap / 2);
    } else {
      group.push_back(group.back() + 1);
    }
  }
}

// The next group: as many of the elements as lane offsets allow, padded to 16 lanes unless nothing follows. Returns the
// number of elements taken.
std::size_t next_group(const Positions &elements, std::int64_t slope, Positions &group) {
  std::size_t taken = 0;
  group.clear();
  for (; taken < static_cast<std::size_t>(kLanes) && taken < elements.size(); taken++) {
    group.push_back(elements[taken]);
    if (!fits(group, slope)) break;
  }
  group.resize(taken);
  if (taken == elements.size() || taken == static_cast<std::size_t>(kLanes)) return taken;
  // Padding moves later elements to higher lanes, which may overflow in turn: then take fewer. One element always fits,
  // since 15 * slope does.
  for (;; taken--) {
    group.assign(elements.begin(), elements.begin() + static_cast<std::ptrdiff_t>(taken));
    pad(group);
    if (fits(group, slope)) return taken;
  }
}

}  // namespace

void encode_dcsr_elements(const Tile &tile, const BitMask &mask, StreamWriter &out) {
  const std::int64_t slope = slope_of(mask, tile.n);

  std::vector<std::uint8_t> values, deltas, bitmaps, bases, extensions;
  const auto extend = [&](std::uint64_t value, int n_bytes) {
    for (int b = 0; b < n_bytes; b++) extensions.push_back(static_cast<std::uint8_t>(value >> 8 * b));
  };

  Positions group;
  std::int64_t expected = 0;  // n_j if its delta were 0
  Ahead ahead(mask);
  for (std::size_t j = 0; !ahead.elements().empty(); j++) {
    ahead.drop(next_group(ahead.elements(), slope, group));
    checkpoint(1024);
    const std::int64_t base = base_of(group, slope);

    const std::int64_t step = base - expected;
    const bool is_long = step < -127 || step > 127;
    bases.push_back(static_cast<std::uint8_t>(is_long ? -128 : step));
    if (is_long) extend(static_cast<std::uint64_t>(step), 4);
    expected = base + kLanes * slope;

    if (j % 2 == 0) deltas.resize(deltas.size() + static_cast<std::size_t>(kLanes));
    std::uint64_t masks[4] = {};
    for (std::size_t i = 0; i < group.size(); i++) {
      const auto delta = static_cast<std::uint64_t>(group[i] - base - static_cast<std::int64_t>(i) * slope);
      std::uint8_t &pair = deltas[deltas.size() - static_cast<std::size_t>(kLanes) + i];
      pair = static_cast<std::uint8_t>(pair | (delta & 15) << (j % 2 == 0 ? 4 : 0));
      for (int b = 0; b < 4; b++) masks[b] |= (delta >> (4 + b) & 1) << i;
      values.push_back(static_cast<std::uint8_t>(tile.values[group[i]]));
    }
    std::uint8_t bitmap = 0;
    for (int b = 0; b < 4; b++) {
      if (masks[b] == 0) continue;
      bitmap = static_cast<std::uint8_t>(bitmap | 1 << b);
      extend(masks[b], 2);
    }
    bitmaps.push_back(bitmap);
  }

  out.u32(static_cast<std::uint32_t>(values.size()));
  out.u32(static_cast<std::uint32_t>(slope));
  out.bytes(std::move(values));
  out.align();
  out.bytes(std::move(deltas));
  out.nibbles(bitmaps);
  out.align();
  out.bytes(std::move(bases));
  out.align();
  out.bytes(std::move(extensions));
  out.align();
}

void encode_dcsr(const Tile &tile, const EncodeOptions &, StreamWriter &out) {
  encode_dcsr_elements(tile, BitMask(tile.values, tile.n), out);
}

}  // namespace stridepack
