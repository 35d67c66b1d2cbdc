/* SPDX-License-Identifier: Apache-2.0 */
#include "search.hpp"

#include <cstring>
#include <map>
#include <optional>

#include "checkpoint.hpp"

namespace stridepack {
namespace {

// 128 positions at a time, as a vector of words (a GCC and Clang extension). Wider vectors gain little without AVX.
constexpr std::size_t kWords = 2;
using Block = std::uint64_t __attribute__((vector_size(kWords * sizeof(std::uint64_t))));

Block load(const std::uint64_t *words) {
  Block block;
  std::memcpy(&block, words, sizeof block);
  return block;
}

bool all_set(const Block &block) {
  std::uint64_t common = block[0];
  for (std::size_t i = 1; i < kWords; i++) common &= block[i];
  return common == ~std::uint64_t{0};
}

// Positions with at most `misses` misses (slots that are not set), for all positions of a block at once in bit-sliced
// counters: bit p of planes[0], planes[1], ... together is the counter of position p. It starts so that it overflows
// with the first miss too many.
template <unsigned kPlanes>
Block alive_with(const std::uint64_t *words, const std::vector<std::uint32_t> &offsets, std::uint32_t misses) {
  const Block none = {};
  Block planes[kPlanes > 0 ? kPlanes : 1];
  for (unsigned b = 0; b < kPlanes; b++) planes[b] = ((1u << kPlanes) - 1 - misses) >> b & 1 ? ~none : none;
  Block dead = none;
  for (std::size_t i = 0; i < offsets.size(); i++) {
    const std::uint64_t *at = words + offsets[i] / 64;
    const unsigned shift = offsets[i] % 64;
    Block carry = ~(load(at) >> shift | load(at + 1) << 1 << (63 - shift));
    for (unsigned b = 0; b < kPlanes; b++) {
      const Block sum = planes[b] ^ carry;
      carry &= planes[b];
      planes[b] = sum;
    }
    dead |= carry;
    if (i % 4 == 3 && all_set(dead)) break;  // looking after every slot costs more than it saves
  }
  return ~dead;
}

// Where the scan for one stride stands: no position before `next` has `misses` misses or fewer, and none at all has
// fewer than `misses`.
struct Scan {
  std::uint32_t stride;
  std::size_t n_starts;  // positions at which a group fits into the array
  std::vector<std::uint32_t> offsets;
  std::uint32_t misses = 0;
  std::size_t next = 0;

  Scan(std::uint32_t size, std::uint32_t d, std::size_t n) : stride(d) {
    const std::size_t reach = std::size_t{size - 1} * d;
    n_starts = reach < n ? n - reach : 0;
    for (std::uint32_t i = 0; i < size && n_starts != 0; i++) offsets.push_back(i * d);
  }

  Block alive(const std::uint64_t *words) const {
    if (misses == 0) return alive_with<0>(words, offsets, misses);
    if (misses == 1) return alive_with<1>(words, offsets, misses);
    if (misses <= 3) return alive_with<2>(words, offsets, misses);
    if (misses <= 7) return alive_with<3>(words, offsets, misses);
    if (misses <= 255) return alive_with<8>(words, offsets, misses);
    return alive_with<31>(words, offsets, misses);
  }

  // The first position with the fewest misses, at most max_misses. Once there is none, there never is one again.
  std::optional<std::size_t> best(const BitMask &mask, std::uint32_t max_misses) {
    for (; n_starts != 0 && misses <= max_misses; misses++, next = 0) {
      while (next < n_starts) {
        const std::size_t block = next / 64 / kWords * kWords;
        const Block hits = alive(mask.words() + block);
        for (std::size_t w = next / 64; w < block + kWords; w++) {
          const std::uint64_t from_next = w == next / 64 ? ~std::uint64_t{0} << next % 64 : ~std::uint64_t{0};
          const std::uint64_t word = hits[w - block] & from_next;
          if (word == 0) continue;
          next = w * 64 + static_cast<std::size_t>(__builtin_ctzll(word));
          if (next < n_starts) return next;
          break;
        }
        if (block % 4096 == 0) checkpoint(4096 * 64);
        next = (block + kWords) * 64;
      }
    }
    return std::nullopt;
  }
};

}  // namespace

std::vector<Group> find_groups(BitMask &mask, const SearchParams &params) {
  std::vector<Group> groups;
  std::map<std::uint32_t, std::vector<Scan>> scans_of;  // each size; later passes go on where earlier ones stopped
  for (const auto &[size, min_count] : params.passes) {
    std::vector<Scan> &scans = scans_of[size];
    if (scans.empty()) {
      for (const std::uint32_t stride : params.strides) scans.emplace_back(size, stride, mask.size());
    }
    for (bool found = true; found;) {
      found = false;
      for (Scan &scan : scans) {
        const auto start = scan.best(mask, size - min_count);
        if (!start) continue;
        for (const std::uint32_t offset : scan.offsets) mask.clear(*start + offset);
        checkpoint(64);
        groups.push_back({size, scan.stride, static_cast<std::uint32_t>(*start)});
        found = true;
      }
    }
  }
  return groups;
}

}  // namespace stridepack
