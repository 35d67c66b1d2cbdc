# SPDX-License-Identifier: Apache-2.0
"""Print a C table with the CRC-32 of every weight tensor of a model: python expected.py MODEL

Only the example needs it, to prove that the firmware unpacks the weights of the original model. In
your own firmware, `spk_validate` is enough: it finds out whether a blob in Flash was changed.
"""

import sys
import zlib

import stridepack as sp

print("/* expected.py wrote this: checksums of the model's tensors, in the order of weights.h. */")
print("#include <stdint.h>")
print("static const uint32_t expected_crc32[] = {")
for tensor in sp.read_weights(sys.argv[1]):
    print(f"    0x{zlib.crc32(tensor.values.tobytes()):08x}u, /* {tensor.name!r} */")
print("};")
