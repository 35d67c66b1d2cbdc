/* SPDX-License-Identifier: Apache-2.0 */
// Symbols of values, of rans and huffman: docs/format.md, section 9.

#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace stridepack {

// Values: bins of 2^raw_bits magnitudes from the smallest of either sign, and zero.
struct ValueCode {
  std::uint32_t raw_bits = 0, n_positive = 0, n_negative = 0, first_positive = 0, first_negative = 0;
  std::vector<std::uint64_t> counts;  // of each symbol

  ValueCode() = default;
  ValueCode(const std::array<std::uint64_t, 256> &histogram, std::uint32_t bits) : raw_bits(bits) {
    for (std::uint32_t m = 128; m != 0; m--) {
      if (m < 128 && histogram[m] != 0) first_positive = m;
      if (histogram[256 - m] != 0) first_negative = m;
    }
    for (std::uint32_t m = 1; m <= 128; m++) {
      if (m < 128 && histogram[m] != 0) n_positive = ((m - first_positive) >> bits) + 1;
      if (histogram[256 - m] != 0) n_negative = ((m - first_negative) >> bits) + 1;
    }
    counts.resize(n_positive + n_negative);
    for (std::uint32_t byte = 1; byte < 256; byte++) {
      if (histogram[byte] != 0) counts[symbol(byte)] += histogram[byte];
    }
  }

  std::uint32_t symbol(std::uint32_t byte) const {
    if (byte == 0) return n_positive + n_negative;
    return byte < 128 ? (byte - first_positive) >> raw_bits : n_positive + ((256 - byte - first_negative) >> raw_bits);
  }
  // How far the value lies above the lowest one of its bin.
  std::uint32_t raw(std::uint32_t byte) const {
    const std::uint32_t mask = (1u << raw_bits) - 1;
    if (byte == 0) return 0;
    return byte < 128 ? (byte - first_positive) & mask : mask - ((256 - byte - first_negative) & mask);
  }
  // The counts, and that of a symbol for 0 where there are zeros.
  std::vector<std::uint64_t> with_zeros(std::uint64_t zeros) const {
    std::vector<std::uint64_t> all = counts;
    if (zeros != 0) all.push_back(zeros);
    return all;
  }
};

}  // namespace stridepack
