/* SPDX-License-Identifier: Apache-2.0 */
#include "tflm_huffman.hpp"

#include <algorithm>
#include <type_traits>

#include "checkpoint.hpp"

namespace stridepack {

std::vector<std::uint8_t> tflm_huffman_encode(const std::int8_t *values, std::size_t n, const TflmHuffmanCode &code) {
  std::vector<std::uint8_t> stream;
  std::uint64_t held = 0;  // the last `n_held` bits, fewer than 8 between codewords
  std::uint32_t n_held = 0;
  std::size_t position = 0, end = 0;
  for (std::size_t i = 0; i < n; i++) {
    if (i % 4096 == 0) checkpoint(4096);
    const auto symbol = static_cast<std::uint8_t>(values[i]);
    const std::uint32_t length = code.length[symbol];
    end = std::max(end, position + code.looked_at[symbol]);
    position += length;
    held = held << length | code.codeword[symbol];
    for (n_held += length; n_held >= 8; n_held -= 8) {
      stream.push_back(static_cast<std::uint8_t>(held >> (n_held - 8)));
    }
  }
  if (n_held > 0) stream.push_back(static_cast<std::uint8_t>(held << (8 - n_held)));
  stream.resize((end + 31) / 32 * 4);  // never shorter than what is in it: a codeword is looked at as a whole
  return stream;
}

namespace {

// Bits of a stream, most significant first.
class BitReader {
 public:
  BitReader(const std::uint8_t *stream, std::size_t size) : stream_(stream), n_bits_(size / 4 * 32) {}

  // The bits at a position, 1 to 16 of them, if all are there.
  bool peek(std::size_t position, std::uint32_t count, std::uint32_t &bits) const {
    if (count > n_bits_ || position > n_bits_ - count) return false;
    const std::size_t first = position / 8;
    std::uint32_t window = 0;
    for (std::size_t i = first; i < first + 3; i++) window = window << 8 | (i < n_bits_ / 8 ? stream_[i] : 0U);
    bits = window >> (24 - position % 8 - count) & ((1U << count) - 1);
    return true;
  }

 private:
  const std::uint8_t *stream_;
  std::size_t n_bits_;
};

// Fields of an entry: bit 31 or 15: a symbol; 4 bits: a count; the rest: the symbol, or how far its table is.
struct Entry {
  bool is_symbol;
  std::uint32_t count, value;
};

Entry entry_at(const std::uint8_t *table, std::size_t entry_size, std::size_t index) {
  std::uint32_t word = 0;
  for (std::size_t i = entry_size; i-- > 0;) word = word << 8 | table[index * entry_size + i];
  const std::uint32_t value_bits = entry_size == 2 ? 11 : 27;
  return {(word >> (value_bits + 4)) != 0, word >> value_bits & 15, word & ((1U << value_bits) - 1)};
}

}  // namespace

template <typename Symbol>
TflmHuffmanStatus tflm_huffman_decode(const std::uint8_t *stream, std::size_t stream_size, const std::uint8_t *table,
                                      std::size_t table_size, std::size_t entry_size, std::uint32_t root_bits,
                                      Symbol *dst, std::size_t n) {
  const BitReader reader(stream, stream_size);
  const std::size_t n_entries = table_size / entry_size;
  std::size_t position = 0;
  std::fill(dst, dst + n, Symbol{0});
  for (std::size_t i = 0; i < n; i++) {
    if (i % 4096 == 0) checkpoint(4096);
    std::uint32_t count = root_bits, bits = 0;
    std::size_t index = 0;
    for (;;) {
      if (!reader.peek(position, count, bits)) return TflmHuffmanStatus::kStreamEnds;
      index += bits;
      if (index >= n_entries) return TflmHuffmanStatus::kTableEnds;
      const Entry entry = entry_at(table, entry_size, index);
      if (entry.is_symbol) {
        position += std::min(count, entry.count);
        dst[i] = static_cast<Symbol>(static_cast<std::make_unsigned_t<Symbol>>(entry.value));
        break;
      }
      position += count;
      index += entry.value;
      count = entry.count + 1;
    }
  }
  return TflmHuffmanStatus::kOk;
}

template TflmHuffmanStatus tflm_huffman_decode(const std::uint8_t *, std::size_t, const std::uint8_t *, std::size_t,
                                               std::size_t, std::uint32_t, std::int8_t *, std::size_t);
template TflmHuffmanStatus tflm_huffman_decode(const std::uint8_t *, std::size_t, const std::uint8_t *, std::size_t,
                                               std::size_t, std::uint32_t, std::int16_t *, std::size_t);

}  // namespace stridepack
