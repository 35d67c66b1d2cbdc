# SPDX-License-Identifier: Apache-2.0
"""Copy a model, with one scale for the weights of each FULLY_CONNECTED: that of the first channel.

Older versions of TensorFlow Lite Micro compute with that scale whatever the others are, so this is
a model of which LiteRT computes the same.

python tests/tflm/one_scale.py model.tflite copy.tflite
"""

import sys
from pathlib import Path

from stridepack.tflite.model import load_model


def main() -> None:
    """Write the copy."""
    model = load_model(Path(sys.argv[1]).read_bytes(), sys.argv[1])
    for graph in model.subgraphs:
        for operator in graph.operators:
            if model.operator_name(operator) != "FULLY_CONNECTED":
                continue
            for index in operator.inputs[1:]:
                quantization = graph.tensors[index].quantization
                quantization.scale = quantization.scale[:1]
                quantization.zeroPoint = quantization.zeroPoint[:1]
    Path(sys.argv[2]).write_bytes(model.to_bytes())


if __name__ == "__main__":
    main()
