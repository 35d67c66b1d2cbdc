/* SPDX-License-Identifier: Apache-2.0 */
// The encoders, on any values: what they write must validate, and decode to what it was made of. The decoders are the
// firmware's, the encoders those of the Python package; both run under the sanitizers here.

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "encode.hpp"
extern "C" {
#include "spk_internal.h"
}

namespace {

using Walk = spk_status (*)(const spk_tile *);
using Decode = spk_status (*)(const spk_tile *, std::int8_t *);

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const char *format, Walk validate, Decode decode, const std::vector<std::int8_t> &values,
           const stridepack::EncodeOptions &options) {
  const std::size_t n = values.size();
  const auto payload = stridepack::encode(format, values.data(), n, n, options);
  const spk_tile tile = {payload.data(), static_cast<std::uint32_t>(payload.size()), static_cast<std::uint32_t>(n)};
  std::vector<std::int8_t> decoded(n, 0x5A);
  require(validate(&tile) == SPK_OK);
  require(decode(&tile, decoded.data()) == SPK_OK);
  require(decoded == values);
}

}  // namespace

// Options of the formats that have some, from byte 0. hybrid, 0: the threshold; 1: the largest group; 2: the first
// stride; 3: how many strides. bitmap, 0: bits of a value, or what is smallest. All formats, 4: what counts as 0;
// then the values, each repeated as often as the byte after it says, so that short inputs make long arrays.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  if (size < 7) return 0;
  stridepack::EncodeOptions options;
  for (std::uint32_t s = data[1]; s != 0; s /= 2) {
    options["pass_sizes"].push_back(s);
    options["pass_min_counts"].push_back(1 + (s - 1) * data[0] / 255);
  }
  for (std::uint32_t d = 0; d < data[3]; d += 1 + data[3] / 16) options["strides"].push_back(1 + data[2] % 255 + d);
  if (data[0] % 9 != 0) options["width"].push_back(data[0] % 9);
  std::vector<std::int8_t> values;
  for (std::size_t i = 5; i + 1 < size && values.size() < 3000; i += 2) {
    const bool zero = data[i] < data[4];
    const std::size_t times = data[i + 1] < 128 ? 1 : std::size_t{data[i + 1]} - 127;
    values.insert(values.end(), times, zero ? std::int8_t{0} : static_cast<std::int8_t>(data[i]));
  }
#define CHECK(name, NAME, id) check(#name, spk_##name##_validate, spk_##name##_decode, values, options);
  SPK_FORMATS(CHECK)
#undef CHECK
  return 0;
}
