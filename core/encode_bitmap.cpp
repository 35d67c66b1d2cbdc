/* SPDX-License-Identifier: Apache-2.0 */
// bitmap: docs/format.md, section 8.

#include <algorithm>
#include <limits>
#include <utility>

#include "encode.hpp"

namespace stridepack {
namespace {

constexpr std::uint32_t kNoBitmap = 8;  // in byte 3 of the header

// Costs are sixteenths of a byte. A value of a plane counts half a bit more and a patch half a byte, because they take
// a decoder time.
constexpr std::size_t kByte = 16, kHalfBit = 1;

std::size_t align4(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

// What w bits of a value stand for: magnitudes from p or q up.
struct Width {
  std::uint32_t bits = 8, p = 0, q = 0;

  std::uint32_t half() const { return 1u << (bits - 1); }
  std::uint32_t magnitude(std::int8_t value) const {
    return value < 0 ? static_cast<std::uint32_t>(-value) - q : static_cast<std::uint32_t>(value) - p;
  }
  std::uint32_t code(std::int8_t value) const {
    const std::uint32_t low = magnitude(value) & (half() - 1);
    return value < 0 ? 2 * half() - 1 - low : low;
  }
  // How often half() is missing.
  std::uint32_t more(std::int8_t value) const { return magnitude(value) >> (bits - 1); }

  // Of the planes of n values.
  std::size_t cost(std::size_t n) const {
    std::size_t cost = 0;
    for (std::uint32_t b = 4; b != 0; b /= 2) {
      if ((bits & b) != 0) cost += kByte * align4((n * b + 7) / 8) + kHalfBit * n;
    }
    return cost;
  }
};

// A value that its bits do not suffice for, and how far it is from the one before.
struct Exception {
  std::uint32_t distance, more;
};

std::vector<Exception> exceptions_of(const std::vector<std::int8_t> &values, const Width &width) {
  std::vector<Exception> exceptions;
  std::size_t position = 0;
  for (std::size_t i = 0; i < values.size(); i++) {
    const std::uint32_t more = width.more(values[i]);
    if (more == 0) continue;
    exceptions.push_back({static_cast<std::uint32_t>(i - position), more});
    position = i;
  }
  return exceptions;
}

// Patches have `bits` bits for how much they add.
std::size_t count_patches(const std::vector<Exception> &exceptions, std::uint32_t bits) {
  const std::uint32_t farthest = (1u << (8 - bits)) - 1, most = (1u << bits) - 1;
  std::size_t count = 0;
  for (const Exception &e : exceptions) {
    if (e.distance > farthest) count += (e.distance - 1) / farthest;
    count += (e.more + most - 1) / most;
  }
  return count;
}

std::vector<std::uint8_t> patches_of(const std::vector<Exception> &exceptions, std::uint32_t bits) {
  const std::uint32_t farthest = (1u << (8 - bits)) - 1, most = (1u << bits) - 1;
  std::vector<std::uint8_t> patches;
  for (auto [distance, more] : exceptions) {
    for (; distance > farthest; distance -= farthest) patches.push_back(static_cast<std::uint8_t>(farthest << bits));
    for (; more > 0; more -= std::min(more, most), distance = 0) {
      patches.push_back(static_cast<std::uint8_t>(distance << bits | std::min(more, most)));
    }
  }
  return patches;
}

std::vector<std::uint8_t> plane_of(const std::vector<std::int8_t> &values, const Width &width, std::uint32_t bits) {
  const std::size_t in_group = 128 / bits, n = values.size();
  const std::uint32_t shift = width.bits & ~(2 * bits - 1), mask = (1u << bits) - 1;
  std::vector<std::uint8_t> plane((n * bits + 7) / 8);
  for (std::size_t i = 0; i < n; i++) {
    const std::size_t first = i - i % in_group, rows_of = (std::min(in_group, n - first) * bits + 7) / 8;
    const std::size_t byte = first * bits / 8 + (i - first) % rows_of;
    const std::uint32_t field = width.code(values[i]) >> shift & mask;
    plane[byte] = static_cast<std::uint8_t>(plane[byte] | field << (i - first) / rows_of * bits);
  }
  return plane;
}

struct Choice {
  Width width;
  bool has_bitmap = true;
  std::uint32_t patch_bits = 0;
  std::size_t cost = std::numeric_limits<std::size_t>::max();
};

// The choice, or one of fewer bits that costs less.
Choice cheaper(Choice best, const std::vector<std::int8_t> &values, bool has_bitmap, std::size_t bitmap_size,
               std::uint32_t wanted) {
  std::size_t histogram[256] = {};
  for (const std::int8_t value : values) histogram[static_cast<std::uint8_t>(value)]++;
  std::uint32_t first_positive = 0, first_negative = 1;
  while (first_positive < 127 && histogram[first_positive] == 0) first_positive++;
  while (first_negative < 128 && histogram[256 - first_negative] == 0) first_negative++;
  for (std::uint32_t bits = 7; bits != 0; bits--) {
    if (wanted != 0 && bits != wanted) continue;
    Choice choice{{bits, 0, 0}, has_bitmap, 0, 0};
    choice.width.p = std::min(first_positive, 128 - choice.width.half());
    choice.width.q = std::min(first_negative, 129 - choice.width.half());
    std::size_t n_exceptions = 0;
    for (int value = -128; value < 128; value++) {
      const std::size_t count = histogram[static_cast<std::uint8_t>(value)];
      if (count != 0 && choice.width.more(static_cast<std::int8_t>(value)) != 0) n_exceptions += count;
    }
    const std::size_t cost = kByte * (8 + bitmap_size) + choice.width.cost(values.size());
    if (cost + (kByte + kByte / 2) * n_exceptions >= best.cost) continue;  // a patch for each at least
    if (n_exceptions == 0) {
      choice.cost = cost;
      best = choice;
      continue;
    }
    const std::vector<Exception> exceptions = exceptions_of(values, choice.width);
    for (choice.patch_bits = 1; choice.patch_bits < 8; choice.patch_bits++) {
      const std::size_t n_patches = count_patches(exceptions, choice.patch_bits);
      choice.cost = cost + kByte * (4 + align4(n_patches)) + kByte / 2 * n_patches;
      if (choice.cost < best.cost) best = choice;
    }
  }
  return best;
}

}  // namespace

void encode_bitmap(const Tile &tile, const EncodeOptions &options, StreamWriter &out) {
  const std::vector<std::uint32_t> &given = option(options, "width");
  const std::uint32_t wanted = given.empty() ? 0 : given.front();
  std::vector<std::uint8_t> bitmap((std::size_t{tile.n} + 7) / 8);
  std::vector<std::int8_t> non_zeros;
  for (std::uint32_t c = 0; c < tile.n; c++) {
    if (tile.values[c] == 0) continue;
    bitmap[c / 8] = static_cast<std::uint8_t>(bitmap[c / 8] | 0x80u >> c % 8);
    non_zeros.push_back(tile.values[c]);
  }
  const std::size_t bitmap_size = align4(bitmap.size());
  Choice best;
  if (wanted == 0 || wanted == 8) best.cost = kByte * (4 + bitmap_size + align4(non_zeros.size()));
  best = cheaper(best, non_zeros, true, bitmap_size, wanted);
  const std::vector<std::int8_t> all(tile.values, tile.values + tile.n);
  best = cheaper(best, all, false, 0, wanted);

  const std::vector<std::int8_t> &values = best.has_bitmap ? non_zeros : all;
  out.u8(best.width.bits), out.u8(best.width.p), out.u8(best.width.q);
  out.u8(best.patch_bits + (best.has_bitmap ? 0 : kNoBitmap));
  std::vector<std::uint8_t> patches;
  if (best.patch_bits != 0) patches = patches_of(exceptions_of(values, best.width), best.patch_bits);
  if (best.width.bits < 8) out.u32(static_cast<std::uint32_t>(values.size()));
  if (best.patch_bits != 0) out.u32(static_cast<std::uint32_t>(patches.size()));
  if (best.has_bitmap) out.bytes(std::move(bitmap));
  out.align();
  if (best.width.bits == 8) {
    out.bytes(values.data(), values.size());
    return;
  }
  for (std::uint32_t b = 4; b != 0; b /= 2) {
    if ((best.width.bits & b) == 0) continue;
    out.bytes(plane_of(values, best.width, b));
    out.align();
  }
  out.bytes(std::move(patches));
}

}  // namespace stridepack
