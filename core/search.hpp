// Algorithm 1 of the paper: find groups of equidistant elements in a mask.

#pragma once

#include <cstdint>
#include <vector>

#include "bits.hpp"

namespace stridepack {

struct Group {
  std::uint32_t size, stride, start;
};

// Groups of this size count from min_count elements upwards: ceil(theta * size), at least 1.
struct GroupSize {
  std::uint32_t size, min_count;
};

struct SearchParams {
  std::vector<GroupSize> sizes;        // descending
  std::vector<std::uint32_t> strides;  // ascending, no duplicates
};

// Finds groups in the order `cyclic` and clears their elements in the mask, so that the remainder is left.
//
// For each size: sweep the strides in ascending order; for each stride take the one best group (most elements, first
// position among equals) if it has min_count elements; repeat until a sweep takes nothing.
//
// Exact, in time linear in the length: a count only ever falls while groups are removed, so for each stride the best
// position is found by scanning for counts of size, then of size - 1, and so on, each scan once from left to right.
std::vector<Group> find_groups(BitMask &mask, const SearchParams &params);

}  // namespace stridepack
