# SPDX-License-Identifier: Apache-2.0
"""Print the CRC-32 of every weight tensor of a model, as Rust: python expected.py MODEL

Only the example needs it, to prove that the firmware unpacks the weights of the original model.
"""

import sys
import zlib

import stridepack as sp

print("&[")
for tensor in sp.read_weights(sys.argv[1]):
    name = tensor.name.replace("\\", "\\\\").replace('"', '\\"')
    print(f'    (c"{name}", 0x{zlib.crc32(tensor.values.tobytes()):08x}),')
print("]")
