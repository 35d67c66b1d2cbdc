/* SPDX-License-Identifier: Apache-2.0 */
// The frequencies of rans: docs/format.md, section 9. What symbols cost with them, and how they are stored.

#pragma once

#include <cstdint>
#include <vector>

#include "ranks.hpp"
#include "value_code.hpp"

namespace stridepack {

constexpr std::uint32_t kSlots = 256;  // what the frequencies of a table sum up to

using Frequencies = std::vector<std::uint32_t>;

// Bits with kFraction after the point, without the table. One symbol alone needs none.
std::uint64_t bits_of(const Counts &counts);

// The same with an estimate of the table of gaps in its shorter form.
std::uint64_t estimated_cost(const Counts &counts);

// The same with the table of values in its shorter form, and what a description takes to read.
std::uint64_t value_table_cost(const ValueCode &code);

// The frequencies of both tables, and their short description; it is empty where they are stored one by one.
struct TableFrequencies {
  Frequencies gaps, values;
  std::vector<std::uint8_t> description;

  TableFrequencies(const Counts &gap_counts, const Counts &value_counts, const ValueCode &code);
};

}  // namespace stridepack
