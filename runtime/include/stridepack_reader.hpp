/* SPDX-License-Identifier: Apache-2.0 */
/* spk_reader.h for C++17 and later: weights in a memory that has no addresses, read by a function of yours. It copies
 * bytes from an offset into a span, and answers whether that succeeded. It must not throw.
 *
 *   static std::uint8_t window[4096];
 *   stridepack::reader reader(file_size, window, [&](std::uint32_t offset, stridepack::span<std::uint8_t> to) {
 *     return flash.read(offset, to.data(), to.size());
 *   });
 *   if (const auto opened = reader.open_bundle(); !opened) return report(opened.name());
 *   if (const auto found = reader.find("conv1"); !found) return report(found.name());
 *   const auto done = reader.for_each_tile(buffer, [&](stridepack::span<const std::int8_t> values) { use(values); });
 *
 * A reader has one tensor open at a time. A reader that could not be made is refused by every function of it. It can
 * be moved, but not copied, because two readers must not load into one window.
 */
#ifndef STRIDEPACK_READER_HPP
#define STRIDEPACK_READER_HPP

#include "stridepack.hpp"

#ifndef SPK_READER_H /* In the form with one header, spk.h has all of it. */
#include "spk_reader.h"
#endif

namespace stridepack {

template <class Read>
class reader {
 public:
  /* size: bytes that can be read. The window must outlive the reader. */
  reader(uint32_t size, span<uint8_t> window, Read read) noexcept : read_(static_cast<Read &&>(read)) {
    status_ = spk_reader_init(&reader_, &reader::forward, nullptr, size, window.data(), window.size());
  }
  reader(const reader &) = delete;
  reader(reader &&) = default;

  /* Whether the reader could be made. */
  stridepack::status status() const noexcept { return status_; }
  /* By the last call that answered SPK_ERROR_WINDOW. */
  constexpr uint32_t window_needed() const noexcept { return reader_.window_needed; }

  /* Open the bundle that all bytes are, and check every byte of it. */
  stridepack::status open_bundle() noexcept { return spk_reader_open_bundle(self()); }
  stridepack::status validate_bundle() noexcept { return spk_reader_validate_bundle(self()); }
  constexpr uint32_t n_tensors() const noexcept { return reader_.n_tensors; }

  /* Open a tensor: of the bundle, by number or by name, or the one whose blob lies at an offset. */
  stridepack::status get(uint32_t i) noexcept { return spk_reader_get(self(), i); }
  stridepack::status find(const char *name) noexcept { return spk_reader_find(self(), name); }
  stridepack::status open(uint32_t offset, uint32_t blob_size) noexcept {
    return spk_reader_open(self(), offset, blob_size);
  }

  /* What follows is about the open tensor, as in the class tensor. */
  stridepack::status validate() noexcept { return spk_reader_validate(self()); }
  stridepack::status decode(span<int8_t> destination) noexcept {
    return spk_reader_decode_s8(self(), destination.data(), destination.size());
  }
  stridepack::status decode_tile(uint32_t tile, span<int8_t> destination) noexcept {
    return spk_reader_decode_tile_s8(self(), tile, destination.data(), destination.size());
  }
  template <class Use>
  stridepack::status for_each_tile(span<int8_t> buffer, Use &&use) {
    if (!reader_.view.blob) return SPK_ERROR_ARGUMENT;
    for (uint32_t tile = 0; tile < n_tiles(); tile++) {
      if (const auto done = decode_tile(tile, buffer); !done) return done;
      use(span<const int8_t>(buffer.data(), tile_size(tile)));
    }
    return SPK_OK;
  }
  /* The least window that all of its tiles fit into. */
  result<uint32_t> window() noexcept {
    uint32_t size = 0;
    const stridepack::status done = spk_reader_window(self(), &size);
    return done ? result<uint32_t>(size) : result<uint32_t>(done);
  }

  constexpr uint32_t size() const noexcept { return reader_.view.n_elements; }
  constexpr uint32_t n_tiles() const noexcept { return reader_.view.n_tiles; }
  uint32_t tile_size(uint32_t tile) const noexcept { return spk_tile_elements(&reader_.view, tile); }
  constexpr uint32_t n_dims() const noexcept { return reader_.view.n_dims; }
  uint32_t dim(uint32_t axis) const noexcept { return spk_dim(&reader_.view, axis); }

 private:
  /* The function moves with this object, so C is told anew where it is. */
  spk_reader *self() noexcept {
    reader_.context = &read_;
    return &reader_;
  }
  static int forward(void *context, uint32_t offset, void *dst, uint32_t n) noexcept {
    const bool done = (*static_cast<Read *>(context))(offset, span<uint8_t>(static_cast<uint8_t *>(dst), n));
    return done ? 0 : 1;
  }

  Read read_;
  spk_reader reader_{};
  stridepack::status status_;
};

}  // namespace stridepack

#endif
