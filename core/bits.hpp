/* SPDX-License-Identifier: Apache-2.0 */
// The mask of a tensor as words of 64 bits, position c in bit c % 64 of word c / 64.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace stridepack {

class BitMask {
 public:
  // Words behind the last one that are always zero: find_groups reads up to 2 words behind any that holds a position.
  static constexpr std::size_t kPadding = 2;

  // All zero.
  explicit BitMask(std::size_t n) : n_(n), words_((n + 63) / 64 + kPadding) {}

  // 1 where values are not 0. T: any integer type of one byte.
  template <typename T>
  BitMask(const T *values, std::size_t n) : BitMask(n) {
    for (std::size_t c = 0; c < n; c++) words_[c / 64] |= static_cast<std::uint64_t>(values[c] != 0) << c % 64;
  }

  std::size_t size() const { return n_; }
  const std::uint64_t *words() const { return words_.data(); }
  std::size_t n_words() const { return words_.size() - kPadding; }

  bool operator[](std::size_t c) const { return (words_[c / 64] >> c % 64 & 1) != 0; }
  void clear(std::size_t c) { words_[c / 64] &= ~(std::uint64_t{1} << c % 64); }

  // Calls visit(c) for every position c that is set, in ascending order.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (std::size_t w = 0; w < n_words(); w++) {
      for (std::uint64_t word = words_[w]; word != 0; word &= word - 1) {
        visit(w * 64 + static_cast<std::size_t>(__builtin_ctzll(word)));
      }
    }
  }

 private:
  std::size_t n_;
  std::vector<std::uint64_t> words_;
};

}  // namespace stridepack
