/* SPDX-License-Identifier: Apache-2.0 */
// hybrid: docs/format.md, section 7.

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "encode_dcsr.hpp"

namespace stridepack {
namespace {

constexpr std::size_t kMaxGroups = 0xFFFFFF;  // in one class record; more groups take more records

// Parameters of the group search from the lists `pass_sizes`, `pass_min_counts` and `strides`.
SearchParams search_params(const EncodeOptions &options) {
  SearchParams params{{}, option(options, "strides")};
  const auto &sizes = option(options, "pass_sizes");
  const auto &min_counts = option(options, "pass_min_counts");
  if (sizes.size() != min_counts.size()) throw std::invalid_argument("hybrid: each pass has a size and a min_count");
  for (std::size_t i = 0; i < sizes.size(); i++) params.passes.push_back({sizes[i], min_counts[i]});
  return params;
}

}  // namespace

void encode_hybrid(const Tile &tile, const EncodeOptions &options, StreamWriter &out) {
  BitMask mask(tile.values, tile.n);
  const SearchParams params = search_params(options);
  std::vector<Group> groups = find_groups(mask, params);
  std::sort(groups.begin(), groups.end(), [](const Group &a, const Group &b) {
    if (a.size != b.size) return a.size > b.size;
    return a.start != b.start ? a.start < b.start : a.stride < b.stride;
  });

  const auto &strides = params.strides;
  const std::uint32_t first_stride = strides.empty() ? 1 : strides.front();
  const bool wide = !strides.empty() && strides.back() - first_stride > 15;

  std::vector<std::uint8_t> values, distances;
  std::vector<std::uint32_t> classes;
  std::vector<std::vector<std::uint8_t>> codes;  // of each class
  std::uint32_t previous = 0;
  for (std::size_t g = 0; g < groups.size(); g++) {
    const Group &group = groups[g];
    if (g == 0 || group.size != groups[g - 1].size || codes.back().size() == kMaxGroups) {
      classes.push_back(group.size);
      codes.emplace_back();
      previous = 0;
    }
    classes.back() += 1u << 8;
    codes.back().push_back(static_cast<std::uint8_t>(group.stride - first_stride));
    std::uint32_t distance = group.start - previous;
    previous = group.start;
    for (; distance >= 255; distance -= 255) distances.push_back(255);
    distances.push_back(static_cast<std::uint8_t>(distance));
    // The true value of every slot: a gap may be a non-zero that another group or the remainder owns.
    for (std::uint32_t i = 0; i < group.size; i++) {
      values.push_back(static_cast<std::uint8_t>(tile.values[group.start + i * group.stride]));
    }
  }

  std::vector<Group>().swap(groups);
  if (classes.size() > 255) throw std::length_error("hybrid: more than 255 classes of groups in one tile");
  out.u8(static_cast<std::uint32_t>(classes.size()));
  out.u8(first_stride);
  out.u8(wide ? 8 : 4);
  out.u8(0);
  out.u32(static_cast<std::uint32_t>(distances.size()));
  for (const std::uint32_t record : classes) out.u32(record);
  out.bytes(std::move(values));
  out.align();
  for (const auto &of_class : codes) wide ? out.bytes(of_class) : out.nibbles(of_class);
  out.align();
  out.bytes(std::move(distances));
  out.align();
  encode_dcsr_elements(tile, mask, out);
}

}  // namespace stridepack
