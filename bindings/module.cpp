/* SPDX-License-Identifier: Apache-2.0 */
// stridepack._core: the C++ encoders and the C runtime, as Python sees them. No logic of its own.
//
// Statuses of the runtime are returned as ints; stridepack.errors turns them into exceptions.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "checkpoint.hpp"
#include "encode.hpp"
#include "spk.h"
#include "tflm_huffman.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <typename T>
using Vector = nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Integers = std::vector<std::uint32_t>;
using Passes = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

// A NumPy array that owns what the vector held.
template <typename T>
nb::ndarray<nb::numpy, T, nb::ndim<1>> to_numpy(std::vector<T> &&values) {
  auto *owned = new std::vector<T>(std::move(values));
  const nb::capsule owner(owned, [](void *p) noexcept { delete static_cast<std::vector<T> *>(p); });
  return nb::ndarray<nb::numpy, T, nb::ndim<1>>(owned->data(), {owned->size()}, owner);
}

// Set by one thread, it ends what the threads that watch it encode.
class Stop {
 public:
  void set() { *flag_ = true; }
  void watch() const { watched = flag_; }
  static thread_local std::shared_ptr<const std::atomic<bool>> watched;

 private:
  std::shared_ptr<std::atomic<bool>> flag_ = std::make_shared<std::atomic<bool>>(false);
};
thread_local std::shared_ptr<const std::atomic<bool>> Stop::watched;

// Does work without the GIL. It ends early where a Stop says so, or, in a thread that watches none, where Python's
// handler of a signal raises an exception: Ctrl-C.
template <typename Work>
void without_gil(Work work) {
  const auto stop = Stop::watched;
  const nb::gil_scoped_release release;
  const stridepack::WithCheckpoint with([&stop] {
    if (stop != nullptr) {
      if (*stop) throw std::runtime_error("stopped");
      return;
    }
    const nb::gil_scoped_acquire acquire;
    if (PyErr_CheckSignals() != 0) throw nb::python_error();
  });
  work();
}

auto find_groups(const Vector<const std::uint8_t> &mask, const Passes &passes, const Integers &strides) {
  stridepack::SearchParams params{{}, strides};
  for (const auto &[pass_size, min_count] : passes) params.passes.push_back({pass_size, min_count});
  std::vector<std::uint32_t> size, stride, start;
  std::vector<std::uint8_t> remainder(mask.size());
  without_gil([&] {
    stridepack::BitMask bits(mask.data(), mask.size());
    for (const auto &group : stridepack::find_groups(bits, params)) {
      size.push_back(group.size);
      stride.push_back(group.stride);
      start.push_back(group.start);
    }
    bits.for_each([&](std::size_t c) { remainder[c] = 1; });
  });
  return std::make_tuple(to_numpy(std::move(size)), to_numpy(std::move(stride)), to_numpy(std::move(start)),
                         to_numpy(std::move(remainder)));
}

auto encode(const std::string &format, const Vector<const std::int8_t> &values, std::size_t tile_size,
            const stridepack::EncodeOptions &options) {
  std::vector<std::uint8_t> payload;
  without_gil([&] { payload = stridepack::encode(format, values.data(), values.size(), tile_size, options); });
  return to_numpy(std::move(payload));
}

// Status and, if it is ok, the header's fields.
auto open(const Vector<const std::uint8_t> &blob) {
  spk_view view = {};
  const spk_status status = spk_open(&view, blob.data(), blob.size());
  Integers shape;
  for (std::uint32_t axis = 0; status == SPK_OK && axis < view.n_dims; axis++) shape.push_back(spk_dim(&view, axis));
  const auto payload_offset = status == SPK_OK ? view.payload - view.blob : 0;
  return std::make_tuple(static_cast<int>(status), view.format, nb::tuple(nb::cast(shape)), view.n_elements,
                         view.tile_size, view.n_tiles, payload_offset);
}

int validate(const Vector<const std::uint8_t> &blob) {
  const nb::gil_scoped_release release;
  spk_view view;
  const spk_status status = spk_open(&view, blob.data(), blob.size());
  return status == SPK_OK ? spk_validate(&view) : status;
}

int decode(const Vector<const std::uint8_t> &blob, const Vector<std::int8_t> &dst) {
  const nb::gil_scoped_release release;
  spk_view view;
  const spk_status status = spk_open(&view, blob.data(), blob.size());
  return status == SPK_OK ? spk_decode_s8(&view, dst.data(), dst.size()) : status;
}

int decode_tile(const Vector<const std::uint8_t> &blob, std::uint32_t tile, const Vector<std::int8_t> &dst) {
  const nb::gil_scoped_release release;
  spk_view view;
  const spk_status status = spk_open(&view, blob.data(), blob.size());
  return status == SPK_OK ? spk_decode_tile_s8(&view, tile, dst.data(), dst.size()) : status;
}

// Status and (name, offset, size) of every blob of a bundle that is valid as a whole; None for a name that is not
// stored.
auto open_bundle(const Vector<const std::uint8_t> &data) {
  spk_bundle bundle = {};
  spk_status status = spk_bundle_open(&bundle, data.data(), data.size());
  if (status == SPK_OK) status = spk_bundle_validate(&bundle);
  nb::list tensors;
  // To ask for each name by its number would be quadratic: they follow one another.
  const bool has_names = status == SPK_OK && data.data()[5] != 0;
  const char *next =
      has_names ? reinterpret_cast<const char *>(data.data()) + 24 + std::size_t{8} * bundle.n_tensors : nullptr;
  for (std::uint32_t i = 0; status == SPK_OK && i < bundle.n_tensors; i++) {
    const char *name = next;
    if (next) next += std::strlen(next) + 1;
    spk_view view;
    status = spk_bundle_get(&bundle, i, nullptr, &view);
    const auto begin = static_cast<std::size_t>(view.blob - data.data());
    const auto end = static_cast<std::size_t>(view.payload - data.data()) + view.payload_size;
    tensors.append(nb::make_tuple(name ? nb::object(nb::bytes(name)) : nb::none(), begin, end - begin));
  }
  return std::make_tuple(static_cast<int>(status), tensors);
}

auto tflm_huffman_encode(const Vector<const std::int8_t> &values, const Vector<const std::uint32_t> &codewords,
                         const Vector<const std::uint8_t> &lengths, const Vector<const std::uint8_t> &looked_at) {
  stridepack::TflmHuffmanCode code;
  if (codewords.size() != 256 || lengths.size() != 256 || looked_at.size() != 256) {
    throw nb::value_error("a code has 256 entries");
  }
  std::copy_n(codewords.data(), 256, code.codeword.begin());
  std::copy_n(lengths.data(), 256, code.length.begin());
  std::copy_n(looked_at.data(), 256, code.looked_at.begin());
  std::vector<std::uint8_t> stream;
  without_gil([&] { stream = stridepack::tflm_huffman_encode(values.data(), values.size(), code); });
  return to_numpy(std::move(stream));
}

template <typename Symbol>
int tflm_huffman_decode(const Vector<const std::uint8_t> &stream, const Vector<const std::uint8_t> &table,
                        std::size_t entry_size, std::uint32_t root_bits, const Vector<Symbol> &dst) {
  if ((entry_size != 2 && entry_size != 4) || root_bits < 1 || root_bits > 16) {
    throw nb::value_error("no such table");
  }
  int status = 0;
  without_gil([&] {
    status = static_cast<int>(stridepack::tflm_huffman_decode(stream.data(), stream.size(), table.data(), table.size(),
                                                              entry_size, root_bits, dst.data(), dst.size()));
  });
  return status;
}

}  // namespace

NB_MODULE(_core, m) {
  nb::class_<Stop>(m, "Stop").def(nb::init<>()).def("set", &Stop::set).def("watch", &Stop::watch);
  m.def("find_groups", &find_groups, "mask"_a, "passes"_a, "strides"_a);
  m.def("encode", &encode, "format"_a, "values"_a, "tile_size"_a, "options"_a);
  m.def("open", &open, "blob"_a);
  m.def("validate", &validate, "blob"_a);
  m.def("decode", &decode, "blob"_a, "dst"_a);
  m.def("decode_tile", &decode_tile, "blob"_a, "tile"_a, "dst"_a);
  m.def("open_bundle", &open_bundle, "data"_a);
  m.def("tflm_huffman_encode", &tflm_huffman_encode, "values"_a, "codewords"_a, "lengths"_a, "looked_at"_a);
  m.def("tflm_huffman_decode", &tflm_huffman_decode<std::int8_t>, "stream"_a, "table"_a, "entry_size"_a, "root_bits"_a,
        "dst"_a);
  m.def("tflm_huffman_decode", &tflm_huffman_decode<std::int16_t>, "stream"_a, "table"_a, "entry_size"_a, "root_bits"_a,
        "dst"_a);
}
