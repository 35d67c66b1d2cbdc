/* SPDX-License-Identifier: Apache-2.0 */
/* spk.h for C++17 and later: the same functions as members of small classes, with spans. Header only: it adds no code
 * to what spk.h does. Nothing here allocates or throws. All objects can be copied, and the blobs must outlive them.
 *
 *   std::array<std::int8_t, 4096> buffer;
 *   const auto tensor = stridepack::tensor::open(blob);  // an array, a span, a std::vector, ... of bytes
 *   if (!tensor) return report(tensor.status().name());
 *   if (const auto checked = tensor->validate(); !checked) return report(checked.name());
 *   const stridepack::status done = tensor->decode(buffer);
 *
 * Or one tile after the other, into a buffer for one tile:
 *
 *   const auto done = tensor->for_each_tile(buffer, [&](stridepack::span<const std::int8_t> values) { use(values); });
 *
 * A bundle (a .spk file) holds many tensors, by number and by name:
 *
 *   const auto bundle = stridepack::bundle::open(file);
 *   const auto weights = bundle ? bundle->find("conv1") : bundle.status();
 */
#ifndef STRIDEPACK_HPP
#define STRIDEPACK_HPP

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "spk.h"

#if __has_include(<span>) && __cplusplus >= 202002L
#include <span>
#endif

namespace stridepack {

#ifdef __cpp_lib_span
template <class T>
using span = std::span<T>;
#else
/* As much of std::span as is needed here, for C++17. */
template <class T>
class span {
 public:
  using value_type = std::remove_cv_t<T>;

  constexpr span() noexcept = default;
  constexpr span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}

  /* From arrays, and from all that has data() and size(). */
  template <class U, std::size_t N, class = std::enable_if_t<std::is_convertible_v<U (*)[], T (*)[]>>>
  constexpr span(U (&from)[N]) noexcept : data_(from), size_(N) {}
  template <class C, class P = decltype(std::declval<C &>().data()),
            class = std::enable_if_t<std::is_convertible_v<std::remove_pointer_t<P> (*)[], T (*)[]>>>
  constexpr span(C &&from) noexcept : data_(from.data()), size_(from.size()) {}

  constexpr T *data() const noexcept { return data_; }
  constexpr std::size_t size() const noexcept { return size_; }
  constexpr std::size_t size_bytes() const noexcept { return size_ * sizeof(T); }
  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr T *begin() const noexcept { return data_; }
  constexpr T *end() const noexcept { return data_ + size_; }
  constexpr T &operator[](std::size_t i) const noexcept { return data_[i]; }
  constexpr span first(std::size_t size) const noexcept { return {data_, size}; }
  constexpr span subspan(std::size_t offset, std::size_t size) const noexcept { return {data_ + offset, size}; }

 private:
  T *data_ = nullptr;
  std::size_t size_ = 0;
};
#endif

/* What a function answers: true where it did what it should. */
class [[nodiscard]] status {
 public:
  constexpr status(spk_status code = SPK_OK) noexcept : code_(code) {}
  constexpr explicit operator bool() const noexcept { return code_ == SPK_OK; }
  constexpr spk_status code() const noexcept { return code_; }
  const char *name() const noexcept { return spk_status_name(code_); }
  friend constexpr bool operator==(status a, status b) noexcept { return a.code_ == b.code_; }
  friend constexpr bool operator!=(status a, status b) noexcept { return a.code_ != b.code_; }

 private:
  spk_status code_;
};

/* A value, or a status that says why there is none. Without one, `*result` is an object that every function refuses. */
template <class T>
class [[nodiscard]] result {
 public:
  constexpr result(stridepack::status why) noexcept : status_(why) {}
  constexpr result(T value) noexcept : value_(value) {}
  constexpr explicit operator bool() const noexcept { return static_cast<bool>(status_); }
  constexpr stridepack::status status() const noexcept { return status_; }
  constexpr const T &operator*() const noexcept { return value_; }
  constexpr const T *operator->() const noexcept { return &value_; }

 private:
  T value_{};
  stridepack::status status_{};
};

/* A tensor, packed. */
class tensor {
 public:
  constexpr tensor() noexcept = default;

  /* The bytes of exactly one blob. */
  template <class Byte>
  static result<tensor> open(span<Byte> blob) noexcept {
    static_assert(sizeof(Byte) == 1, "a blob is a span of bytes");
    tensor opened;
    const stridepack::status done = spk_open(&opened.view_, blob.data(), blob.size());
    return done ? result<tensor>(opened) : result<tensor>(done);
  }
  template <class Bytes, class P = decltype(std::declval<const Bytes &>().data())>
  static result<tensor> open(const Bytes &blob) noexcept {
    return open(span<std::remove_pointer_t<P>>(blob.data(), blob.size()));
  }
  template <class Byte, std::size_t N>
  static result<tensor> open(const Byte (&blob)[N]) noexcept {
    return open(span<const Byte>(blob, N));
  }

  /* A row of the table that `stridepack pack -o weights.c` writes. */
  static result<tensor> open(const stridepack_tensor &row) noexcept {
    return open(span<const std::uint8_t>(row.blob, row.blob_size));
  }

  /* Every byte, once. */
  stridepack::status validate() const noexcept { return spk_validate(&view_); }

  /* The whole tensor: size() elements at the start of the destination. */
  stridepack::status decode(span<std::int8_t> destination) const noexcept {
    return spk_decode_s8(&view_, destination.data(), destination.size());
  }
  /* One tile: tile_size(tile) elements. */
  stridepack::status decode_tile(std::uint32_t tile, span<std::int8_t> destination) const noexcept {
    return spk_decode_tile_s8(&view_, tile, destination.data(), destination.size());
  }
  /* use(values) for one tile after the other, each at the start of the buffer. */
  template <class Use>
  stridepack::status for_each_tile(span<std::int8_t> buffer, Use &&use) const {
    if (!view_.blob) return SPK_ERROR_ARGUMENT;
    for (std::uint32_t tile = 0; tile < n_tiles(); tile++) {
      if (const auto done = decode_tile(tile, buffer); !done) return done;
      use(span<const std::int8_t>(buffer.data(), tile_size(tile)));
    }
    return SPK_OK;
  }
  /* The values of a tile where they lie in the blob: of dense tensors only. Otherwise an empty span. */
  span<const std::int8_t> in_place(std::uint32_t tile = 0) const noexcept {
    const std::int8_t *const values = spk_dense_tile_s8(&view_, tile);
    return values ? span<const std::int8_t>(values, tile_size(tile)) : span<const std::int8_t>();
  }

  constexpr std::uint32_t size() const noexcept { return view_.n_elements; }
  constexpr std::uint32_t n_tiles() const noexcept { return view_.n_tiles; }
  std::uint32_t tile_size(std::uint32_t tile) const noexcept { return spk_tile_elements(&view_, tile); }
  constexpr std::uint32_t n_dims() const noexcept { return view_.n_dims; }
  std::uint32_t dim(std::uint32_t axis) const noexcept { return spk_dim(&view_, axis); }
  constexpr const spk_view &view() const noexcept { return view_; }

 private:
  friend class bundle;
  spk_view view_{};
};

/* A .spk file, read where it lies. */
class bundle {
 public:
  constexpr bundle() noexcept = default;

  /* The bytes of exactly one file. */
  template <class Byte>
  static result<bundle> open(span<Byte> file) noexcept {
    static_assert(sizeof(Byte) == 1, "a file is a span of bytes");
    bundle opened;
    const stridepack::status done = spk_bundle_open(&opened.bundle_, file.data(), file.size());
    return done ? result<bundle>(opened) : result<bundle>(done);
  }
  template <class Bytes, class P = decltype(std::declval<const Bytes &>().data())>
  static result<bundle> open(const Bytes &file) noexcept {
    return open(span<std::remove_pointer_t<P>>(file.data(), file.size()));
  }
  template <class Byte, std::size_t N>
  static result<bundle> open(const Byte (&file)[N]) noexcept {
    return open(span<const Byte>(file, N));
  }

  stridepack::status validate() const noexcept { return spk_bundle_validate(&bundle_); }
  constexpr std::uint32_t size() const noexcept { return bundle_.n_tensors; }

  result<tensor> get(std::uint32_t i) const noexcept {
    tensor opened;
    const stridepack::status done = spk_bundle_get(&bundle_, i, nullptr, &opened.view_);
    return done ? result<tensor>(opened) : result<tensor>(done);
  }
  result<tensor> find(const char *name) const noexcept {
    tensor opened;
    const stridepack::status done = spk_bundle_find(&bundle_, name, &opened.view_);
    return done ? result<tensor>(opened) : result<tensor>(done);
  }
  /* Null where names are not stored. */
  const char *name(std::uint32_t i) const noexcept {
    const char *found = nullptr;
    spk_view view;
    return spk_bundle_get(&bundle_, i, &found, &view) == SPK_OK ? found : nullptr;
  }

 private:
  spk_bundle bundle_{};
};

inline const char *version() noexcept { return spk_version(); }

}  // namespace stridepack

#endif
