#include "search.hpp"

#include <optional>

namespace stridepack {
namespace {

// 64 positions at a time. Misses (slots that are not set) are counted for all of them at once in bit-sliced counters:
// bit p of planes[0], planes[1], ... together is the counter of position p. It starts so that it overflows with the
// first miss too many.
template <int kPlanes>
std::uint64_t alive_with(const std::uint64_t *word, const std::vector<std::uint32_t> &offsets, std::uint32_t misses) {
  std::uint64_t planes[kPlanes > 0 ? kPlanes : 1] = {};
  for (int b = 0; b < kPlanes; b++) planes[b] = ((1u << kPlanes) - 1 - misses) >> b & 1 ? ~std::uint64_t{0} : 0;
  std::uint64_t dead = 0;
  for (const std::uint32_t offset : offsets) {
    const std::uint64_t *at = word + offset / 64;
    const unsigned shift = offset % 64;
    std::uint64_t carry = ~(at[0] >> shift | at[1] << 1 << (63 - shift));
    for (int b = 0; b < kPlanes; b++) {
      const std::uint64_t sum = planes[b] ^ carry;
      carry &= planes[b];
      planes[b] = sum;
    }
    dead |= carry;
    if (dead == ~std::uint64_t{0}) return 0;
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

  std::uint64_t alive(const std::uint64_t *word) const {
    if (misses == 0) return alive_with<0>(word, offsets, misses);
    if (misses == 1) return alive_with<1>(word, offsets, misses);
    if (misses <= 3) return alive_with<2>(word, offsets, misses);
    if (misses <= 7) return alive_with<3>(word, offsets, misses);
    if (misses <= 255) return alive_with<8>(word, offsets, misses);
    return alive_with<31>(word, offsets, misses);
  }

  // The first position with the fewest misses, at most max_misses. Once there is none, there never is one again.
  std::optional<std::size_t> best(const BitMask &mask, std::uint32_t max_misses) {
    for (; n_starts != 0 && misses <= max_misses; misses++, next = 0) {
      while (next < n_starts) {
        const std::size_t w = next / 64;
        const std::uint64_t hits = alive(mask.words() + w) & ~std::uint64_t{0} << next % 64;
        if (hits != 0) {
          next = w * 64 + static_cast<std::size_t>(__builtin_ctzll(hits));
          if (next < n_starts) return next;
        }
        next = (w + 1) * 64;
      }
    }
    return std::nullopt;
  }
};

}  // namespace

std::vector<Group> find_groups(BitMask &mask, const SearchParams &params) {
  std::vector<Group> groups;
  for (const auto &[size, min_count] : params.sizes) {
    std::vector<Scan> scans;
    for (const std::uint32_t stride : params.strides) scans.emplace_back(size, stride, mask.size());
    for (bool found = true; found;) {
      found = false;
      for (Scan &scan : scans) {
        const auto start = scan.best(mask, size - min_count);
        if (!start) continue;
        for (const std::uint32_t offset : scan.offsets) mask.clear(*start + offset);
        groups.push_back({size, scan.stride, static_cast<std::uint32_t>(*start)});
        found = true;
      }
    }
  }
  return groups;
}

}  // namespace stridepack
