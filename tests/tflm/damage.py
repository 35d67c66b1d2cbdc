"""Copy a model, with the magic of its first blob damaged.

python tests/tflm/damage.py packed.tflite damaged.tflite
"""

import sys
from pathlib import Path

data = bytearray(Path(sys.argv[1]).read_bytes())
data[data.index(b"SPKB")] ^= 1
Path(sys.argv[2]).write_bytes(data)
