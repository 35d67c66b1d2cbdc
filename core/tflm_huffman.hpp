/* SPDX-License-Identifier: Apache-2.0 */
// TensorFlow Lite Micro's Huffman streams: DECODE type 1. What the tables and the stream look like is said in
// src/stridepack/tflm/huffman.py, which makes the code and its tables.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace stridepack {

// A prefix code for bytes. `looked_at`: bits that a decoder has read when it finds the symbol in its tables; it puts
// back those behind the codeword.
struct TflmHuffmanCode {
  std::array<std::uint32_t, 256> codeword;
  std::array<std::uint8_t, 256> length;
  std::array<std::uint8_t, 256> looked_at;
};

// Codewords one after another, most significant bit first, in whole words of 32 bits. There are as many as the decoder
// looks at. Every value must have a codeword of 1 to 32 bits.
std::vector<std::uint8_t> tflm_huffman_encode(const std::int8_t *values, std::size_t n, const TflmHuffmanCode &code);

// What decoding met. TensorFlow Lite Micro's kernel checks none of it.
enum class TflmHuffmanStatus { kOk, kStreamEnds, kTableEnds };

// Decodes n symbols. Safe on any bytes: a read outside the stream, of which only whole words count, or outside the
// table is a status, and what comes behind it in dst is 0. entry_size: 2 or 4 bytes; root_bits: 1 to 16. Symbol: int8_t
// or int16_t; a larger symbol wraps, as in the kernel.
template <typename Symbol>
TflmHuffmanStatus tflm_huffman_decode(const std::uint8_t *stream, std::size_t stream_size, const std::uint8_t *table,
                                      std::size_t table_size, std::size_t entry_size, std::uint32_t root_bits,
                                      Symbol *dst, std::size_t n);

}  // namespace stridepack
