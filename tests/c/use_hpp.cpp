/* SPDX-License-Identifier: Apache-2.0 */
// stridepack.hpp and stridepack_reader.hpp as a C++17 or C++20 program sees them: every valid vector, opened, checked
// and decoded, and what it answers to wrong arguments.  use_hpp DIRECTORY
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "stridepack.hpp"
#include "stridepack_reader.hpp"

namespace {

using bytes = std::vector<std::uint8_t>;
namespace sp = stridepack;

static_assert(std::is_trivially_copyable_v<sp::tensor> && sizeof(sp::tensor) == sizeof(spk_view));
static_assert(std::is_trivially_copyable_v<sp::bundle> && sizeof(sp::bundle) == sizeof(spk_bundle));
static_assert(std::is_nothrow_copy_constructible_v<sp::result<sp::tensor>>);
static_assert(sizeof(sp::status) == sizeof(spk_status));

unsigned n_failures = 0;

void check(bool holds, const std::string &what) {
  if (holds) return;
  n_failures++;
  std::printf("failed: %s\n", what.c_str());
}

bytes read(const std::filesystem::path &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void check_tensor(const sp::tensor &tensor, const std::int8_t *expected, const std::string &name) {
  const std::size_t size = tensor.size();
  std::vector<std::int8_t> whole(size), tiles, buffer(size);
  check(tensor.decode(whole) == SPK_OK, name + ": decode");
  check(size == 0 || std::memcmp(whole.data(), expected, size) == 0, name + ": values");
  const auto collect = [&](sp::span<const std::int8_t> values) {
    tiles.insert(tiles.end(), values.begin(), values.end());
  };
  check(static_cast<bool>(tensor.for_each_tile(buffer, collect)), name + ": tiles");
  check(tiles == whole, name + ": values of tiles");
  std::size_t product = 1, done = 0;
  for (std::uint32_t axis = 0; axis < tensor.n_dims(); axis++) product *= tensor.dim(axis);
  check(product == size, name + ": shape");
  const bool is_dense = tensor.view().format == SPK_FORMAT_DENSE && (tensor.view().flags & ~SPK_FLAG_TILED) == 0;
  for (std::uint32_t tile = 0; tile < tensor.n_tiles(); tile++) {
    const auto values = tensor.dense_tile(tile);
    check(values.size() == (is_dense ? tensor.tile_size(tile) : 0), name + ": in place");
    check(values.empty() || std::memcmp(values.data(), whole.data() + done, values.size()) == 0, name + ": in place");
    done += values.size();
  }
  if (size != 0) check(tensor.decode({buffer.data(), size - 1}) == SPK_ERROR_DESTINATION, name + ": small");
}

/* The same from a memory without addresses, and to where the blob lies. */
void check_reader(const bytes &blob, const bytes &raw, const std::string &name) {
  unsigned n_reads = 0;
  const auto copy = [&](std::uint32_t offset, sp::span<std::uint8_t> to) {
    n_reads++;
    std::memcpy(to.data(), blob.data() + offset, to.size());
    return true;
  };
  const auto n = static_cast<std::uint32_t>(blob.size());
  bytes window(n + SPK_READER_MIN_WINDOW);
  sp::reader made(n, window, copy);
  auto reader = std::move(made); /* the function is elsewhere now */
  static_assert(!std::is_copy_constructible_v<decltype(reader)>, "two readers must not load into one window");
  check(static_cast<bool>(reader.status()), name + ": reader");
  check(reader.open(0, n) && reader.validate(), name + ": open by a reader");
  check(reader.size() == raw.size(), name + ": size by a reader");
  std::vector<std::int8_t> whole(raw.size()), tiles;
  check(reader.decode(whole) == SPK_OK && n_reads > 0, name + ": decode by a reader");
  check(raw.empty() || std::memcmp(whole.data(), raw.data(), raw.size()) == 0, name + ": values by a reader");
  std::vector<std::int8_t> buffer(raw.size());
  const auto done = reader.for_each_tile(
      buffer, [&](sp::span<const std::int8_t> values) { tiles.insert(tiles.end(), values.begin(), values.end()); });
  check(done && tiles == whole, name + ": tiles by a reader");
  check(reader.window() && *reader.window() <= window.size(), name + ": window");
}

void check_in_place(const bytes &blob, const bytes &raw, const std::string &name) {
  const auto margin = sp::tensor::open(blob)->in_place_margin();
  check(static_cast<bool>(margin), name + ": margin");
  bytes memory(blob);
  memory.resize(std::max(*margin + raw.size(), blob.size()));
  const auto weights = sp::decode_in_place(memory, blob.size());
  check(weights && weights->size() == raw.size(), name + ": decode in place");
  check(raw.empty() || std::memcmp(weights->data(), raw.data(), raw.size()) == 0, name + ": values in place");
  if (raw.size() < 2 || blob.size() >= *margin + raw.size()) return;
  bytes small(blob);
  small.resize(*margin + raw.size() - 1);
  check(sp::decode_in_place(small, blob.size()).status() == SPK_ERROR_DESTINATION, name + ": small in place");
}

void check_bundle(const bytes &file, const bytes &raw, const std::string &name) {
  const auto bundle = sp::bundle::open(file);
  check(bundle && bundle->validate(), name);
  bytes window(file.size() + SPK_READER_MIN_WINDOW);
  sp::reader reader(static_cast<std::uint32_t>(file.size()), window, [&](std::uint32_t at, sp::span<std::uint8_t> to) {
    std::memcpy(to.data(), file.data() + at, to.size());
    return true;
  });
  check(reader.open_bundle() && reader.validate_bundle(), name + ": by a reader");
  check(reader.n_tensors() == bundle->size(), name + ": tensors by a reader");
  const char *expected = reinterpret_cast<const char *>(raw.data());
  for (std::uint32_t i = 0; i < bundle->size(); i++) {
    const auto tensor = bundle->get(i), found = bundle->find(expected);
    check(tensor && found && found->view().blob == tensor->view().blob, name + ": find");
    check(!bundle->name(i) || std::strcmp(bundle->name(i), expected) == 0, name + ": name");
    check(reader.find(expected) && reader.size() == tensor->size(), name + ": find by a reader");
    check(reader.get(i) && reader.n_dims() == tensor->n_dims(), name + ": get by a reader");
    expected += std::strlen(expected) + 1;
    check_tensor(*tensor, reinterpret_cast<const std::int8_t *>(expected), name);
    expected += tensor->size();
  }
  const auto none = bundle->get(bundle->size());
  check(none.status() == SPK_ERROR_NOT_FOUND, name + ": beyond the last");
  const auto never = [&](sp::span<const std::int8_t>) { check(false, name + ": a tile of no tensor"); };
  check(none->for_each_tile({}, never) == SPK_ERROR_ARGUMENT, name + ": tiles of no tensor");
}

void check_refusals() {
  const std::array<char, 4> damaged = {'R', 'I', 'F', 'F'};
  std::array<std::int8_t, 4> buffer{};
  const auto refused = sp::tensor::open(damaged);
  check(!refused && refused.status() == SPK_ERROR_MAGIC, "magic");
  check(std::strcmp(refused.status().name(), "magic") == 0, "name of a status");
  check(refused->decode(buffer) == SPK_ERROR_ARGUMENT, "a tensor that was not opened");
  check(refused->validate() != SPK_OK && refused->size() == 0, "a tensor that was not opened");
  check(sp::tensor::open(sp::span<const std::uint8_t>()).status() == SPK_ERROR_ARGUMENT, "nothing");
  check(sp::bundle::open(damaged).status() == SPK_ERROR_MAGIC, "no bundle");
  check(sp::bundle().validate() == SPK_ERROR_ARGUMENT, "a bundle that was not opened");
  const auto fails = [](std::uint32_t, sp::span<std::uint8_t>) { return false; };
  bytes window(200);
  sp::reader reader(1000, window, fails);
  check(reader.open(0, 1000) == SPK_ERROR_READ, "a read that fails");
  check(reader.for_each_tile(buffer, [](sp::span<const std::int8_t>) {}) == SPK_ERROR_ARGUMENT, "no open tensor");
  sp::reader small(1000, {window.data(), 10}, fails);
  check(small.status() == SPK_ERROR_WINDOW && small.window_needed() == SPK_READER_MIN_WINDOW, "a small window");
  check(small.open(0, 1000) == SPK_ERROR_ARGUMENT, "a reader that was not made");
  check(sp::decode_in_place(window, 300).status() == SPK_ERROR_TRUNCATED, "a blob longer than the buffer");
  check(sp::decode_in_place(window, 100).status() == SPK_ERROR_MAGIC, "no blob");
  check(std::strcmp(sp::version(), SPK_LIBRARY_VERSION) == 0, "version");
}

}  // namespace

int main(int argc, char **argv) {
  unsigned n_files = 0;
  for (const auto &entry : std::filesystem::directory_iterator(argc == 2 ? argv[1] : ".")) {
    auto path = entry.path();
    const std::string name = path.filename().string();
    if (path.extension() == ".raw") continue;
    n_files++;
    const bytes data = read(path), raw = read(path.replace_extension(".raw"));
    if (entry.path().extension() == ".spk") {
      check_bundle(data, raw, name);
      continue;
    }
    const auto tensor = sp::tensor::open(data);
    check(tensor && tensor->validate(), name);
    check(tensor->size() == raw.size(), name + ": size");
    const spk_view &view = tensor->view();
    const stridepack_tensor row = {"", view.blob, data.size(), view.n_elements, view.n_dims, {}};
    check(sp::tensor::open(row)->view().payload == view.payload, name + ": a row of a table");
    check_tensor(*tensor, reinterpret_cast<const std::int8_t *>(raw.data()), name);
    check_reader(data, raw, name);
    check_in_place(data, raw, name);
  }
  check_refusals();
  std::printf("%u vectors, %u failures\n", n_files, n_failures);
  return n_files > 100 && n_failures == 0 ? 0 : 1;
}
