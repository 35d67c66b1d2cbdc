/* SPDX-License-Identifier: Apache-2.0 */
// What other formats use of dcsr.

#pragma once

#include "encode.hpp"

namespace stridepack {

// The dcsr streams of those elements of a tile that are set in the mask: all its non-zeros, or hybrid's remainder.
void encode_dcsr_elements(const Tile &tile, const BitMask &mask, StreamWriter &out);

}  // namespace stridepack
