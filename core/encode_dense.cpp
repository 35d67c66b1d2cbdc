/* SPDX-License-Identifier: Apache-2.0 */
// dense: docs/format.md, section 3.

#include "encode.hpp"

namespace stridepack {

void encode_dense(const Tile &tile, const EncodeOptions &, StreamWriter &out) { out.bytes(tile.values, tile.n); }

}  // namespace stridepack
