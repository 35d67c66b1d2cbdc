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
 *
 * It includes <span> where there is one for C++20, and otherwise no header of the C++ library, so that a compiler for
 * a microcontroller needs none. stridepack_reader.hpp reads from a memory that has no addresses.
 */
#ifndef STRIDEPACK_HPP
#define STRIDEPACK_HPP

#include <stddef.h>
#include <stdint.h>

#include "spk.h"

#if __has_include(<span>) && __cplusplus >= 202002L
#include <span>
#endif

namespace stridepack {

/* As much of <type_traits> and <utility> as is needed here. */
namespace detail {
template <class T>
struct pointee {};
template <class T>
struct pointee<T *> {
  using type = T;
};
template <class T>
struct without_cv {
  using type = T;
};
template <class T>
struct without_cv<const T> {
  using type = T;
};
template <class T>
T &&value_of() noexcept;
template <class T>
void accept(T) noexcept;
/* What data() of a container points to. */
template <class C>
using element = typename pointee<decltype(value_of<C &>().data())>::type;
/* Names a type only where a pointer to elements of U can become one to elements of T, such as const U. */
template <class U, class T>
using if_becomes = decltype(accept<T (*)[]>(static_cast<U (*)[]>(nullptr)));
}  // namespace detail

#ifdef __cpp_lib_span
template <class T>
using span = std::span<T>;
#else
/* As much of std::span as is needed here, for C++17. */
template <class T>
class span {
 public:
  using value_type = typename detail::without_cv<T>::type;

  constexpr span() noexcept = default;
  constexpr span(T *data, size_t size) noexcept : data_(data), size_(size) {}

  /* From arrays, and from all that has data() and size(). */
  template <class U, size_t N, class = detail::if_becomes<U, T>>
  constexpr span(U (&from)[N]) noexcept : data_(from), size_(N) {}
  template <class C, class = detail::if_becomes<detail::element<C>, T>>
  constexpr span(C &&from) noexcept : data_(from.data()), size_(from.size()) {}

  constexpr T *data() const noexcept { return data_; }
  constexpr size_t size() const noexcept { return size_; }
  constexpr size_t size_bytes() const noexcept { return size_ * sizeof(T); }
  constexpr bool empty() const noexcept { return size_ == 0; }
  constexpr T *begin() const noexcept { return data_; }
  constexpr T *end() const noexcept { return data_ + size_; }
  constexpr T &operator[](size_t i) const noexcept { return data_[i]; }
  constexpr span first(size_t size) const noexcept { return {data_, size}; }
  constexpr span subspan(size_t offset, size_t size) const noexcept { return {data_ + offset, size}; }

 private:
  T *data_ = nullptr;
  size_t size_ = 0;
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
  template <class Bytes, class Byte = detail::element<const Bytes>>
  static result<tensor> open(const Bytes &blob) noexcept {
    return open(span<Byte>(blob.data(), blob.size()));
  }
  template <class Byte, size_t N>
  static result<tensor> open(const Byte (&blob)[N]) noexcept {
    return open(span<const Byte>(blob, N));
  }

  /* A row of the table that `stridepack pack -o weights.c` writes. */
  static result<tensor> open(const stridepack_tensor &row) noexcept {
    return open(span<const uint8_t>(row.blob, row.blob_size));
  }

  /* Every byte, once. */
  stridepack::status validate() const noexcept { return spk_validate(&view_); }

  /* The whole tensor: size() elements at the start of the destination. */
  stridepack::status decode(span<int8_t> destination) const noexcept {
    return spk_decode_s8(&view_, destination.data(), destination.size());
  }
  /* One tile: tile_size(tile) elements. */
  stridepack::status decode_tile(uint32_t tile, span<int8_t> destination) const noexcept {
    return spk_decode_tile_s8(&view_, tile, destination.data(), destination.size());
  }
  /* use(values) for one tile after the other, each at the start of the buffer. */
  template <class Use>
  stridepack::status for_each_tile(span<int8_t> buffer, Use &&use) const {
    if (!view_.blob) return SPK_ERROR_ARGUMENT;
    for (uint32_t tile = 0; tile < n_tiles(); tile++) {
      if (const auto done = decode_tile(tile, buffer); !done) return done;
      use(span<const int8_t>(buffer.data(), tile_size(tile)));
    }
    return SPK_OK;
  }
  /* The values of a tile where they lie in the blob: of dense tensors only. Otherwise an empty span. */
  span<const int8_t> dense_tile(uint32_t tile = 0) const noexcept {
    const int8_t *const values = spk_dense_tile_s8(&view_, tile);
    return values ? span<const int8_t>(values, tile_size(tile)) : span<const int8_t>();
  }

  /* How far from the start of its blob decode_in_place writes the weights. */
  result<size_t> in_place_margin() const noexcept {
    size_t margin = 0;
    const stridepack::status done = spk_in_place_margin(&view_, &margin);
    return done ? result<size_t>(margin) : result<size_t>(done);
  }

  constexpr uint32_t size() const noexcept { return view_.n_elements; }
  constexpr uint32_t n_tiles() const noexcept { return view_.n_tiles; }
  uint32_t tile_size(uint32_t tile) const noexcept { return spk_tile_elements(&view_, tile); }
  constexpr uint32_t n_dims() const noexcept { return view_.n_dims; }
  uint32_t dim(uint32_t axis) const noexcept { return spk_dim(&view_, axis); }
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
  template <class Bytes, class Byte = detail::element<const Bytes>>
  static result<bundle> open(const Bytes &file) noexcept {
    return open(span<Byte>(file.data(), file.size()));
  }
  template <class Byte, size_t N>
  static result<bundle> open(const Byte (&file)[N]) noexcept {
    return open(span<const Byte>(file, N));
  }

  stridepack::status validate() const noexcept { return spk_bundle_validate(&bundle_); }
  constexpr uint32_t size() const noexcept { return bundle_.n_tensors; }

  result<tensor> get(uint32_t i) const noexcept {
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
  const char *name(uint32_t i) const noexcept {
    const char *found = nullptr;
    spk_view view;
    return spk_bundle_get(&bundle_, i, &found, &view) == SPK_OK ? found : nullptr;
  }

 private:
  spk_bundle bundle_{};
};

/* Unpack a blob to where it lies: the buffer begins with its blob_size bytes, and has room for the margin of the tensor
 * and its elements. Answers where the weights are in the buffer. The blob is validated first, and then overwritten. */
inline result<span<int8_t>> decode_in_place(span<uint8_t> buffer, size_t blob_size) noexcept {
  using weights = result<span<int8_t>>;
  if (blob_size > buffer.size()) return weights(stridepack::status(SPK_ERROR_TRUNCATED));
  const auto packed = tensor::open(span<const uint8_t>(buffer.data(), blob_size));
  if (!packed) return weights(packed.status());
  if (const auto valid = packed->validate(); !valid) return weights(valid);
  const auto margin = packed->in_place_margin();
  if (!margin) return weights(margin.status());
  if (*margin > buffer.size()) return weights(stridepack::status(SPK_ERROR_DESTINATION));
  const auto first = reinterpret_cast<int8_t *>(buffer.data()) + *margin;
  const size_t n = packed->size();
  const stridepack::status done = spk_decode_in_place_s8(&packed->view(), first, buffer.size() - *margin);
  return done ? weights(span<int8_t>(first, n)) : weights(done);
}

inline const char *version() noexcept { return spk_version(); }

}  // namespace stridepack

#endif
