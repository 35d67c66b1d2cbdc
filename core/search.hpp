/* SPDX-License-Identifier: Apache-2.0 */
// Algorithm 1 of the paper: find groups of equidistant elements in a mask.

#pragma once

#include <cstdint>
#include <vector>

#include "bits.hpp"

namespace stridepack {

struct Group {
  std::uint32_t size, stride, start;
};

// A pass takes groups of this size that have at least min_count elements; min_count >= 1.
struct Pass {
  std::uint32_t size, min_count;
};

struct SearchParams {
  std::vector<Pass> passes;            // in this order; of the same size with ever smaller min_count
  std::vector<std::uint32_t> strides;  // ascending, no duplicates
};

// Finds groups and clears their elements in the mask, so that the remainder is left.
//
// For each pass: sweep the strides in ascending order; for each stride take the one best group (most elements, first
// position among equals) if it has min_count elements; repeat until a sweep takes nothing.
//
// Exact, in time linear in the length: a count only ever falls while groups are removed, so for each size and stride
// the best position is found by scanning for counts of size, then of size - 1, and so on, each scan once from left to
// right.
std::vector<Group> find_groups(BitMask &mask, const SearchParams &params);

}  // namespace stridepack
