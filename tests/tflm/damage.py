# SPDX-License-Identifier: Apache-2.0
"""Copy a model, with the magic of its first blob damaged.

python tests/tflm/damage.py packed.tflite damaged.tflite
"""

import sys
from pathlib import Path

from stridepack.tflite.decode import is_own
from stridepack.tflite.model import Buffer, load_model

model = load_model(Path(sys.argv[1]).read_bytes(), sys.argv[1])
graph = model.subgraphs[0]
blob = next(o.inputs[0] for o in graph.operators if is_own(model, o))
data = bytearray(model.data(graph.tensors[blob]))
data[0] ^= 1
model.root.buffers[graph.tensors[blob].buffer] = Buffer(bytes(data))
Path(sys.argv[2]).write_bytes(model.to_bytes())
