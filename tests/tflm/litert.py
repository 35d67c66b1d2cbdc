# SPDX-License-Identifier: Apache-2.0
"""What LiteRT makes of a model, on the inputs of main.cc and with its checksum of all outputs.

python tests/tflm/litert.py model.tflite RUNS
"""

import sys

import numpy as np


def main() -> None:
    """Print the checksum, or say that LiteRT is not installed."""
    try:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
    except ImportError:
        print("LiteRT is not installed")
        return
    # The kernels that TensorFlow Lite Micro's are made from. Others may round differently.
    interpreter = Interpreter(sys.argv[1], experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    state, checksum = 1, 14695981039346656037  # FNV-1a
    for _ in range(int(sys.argv[2])):
        for put in interpreter.get_input_details():
            data = bytearray()
            for _ in range(int(np.prod(put["shape"])) * put["dtype"]().itemsize):
                state = (state * 1664525 + 1013904223) % 2**32
                data.append(state >> 24)
            values = np.frombuffer(bytes(data), put["dtype"]).reshape(put["shape"])
            interpreter.set_tensor(put["index"], values)
        interpreter.invoke()
        for got in interpreter.get_output_details():
            for byte in interpreter.get_tensor(got["index"]).tobytes():
                checksum = (checksum ^ byte) * 1099511628211 % 2**64
    print(f"outputs {checksum:016x}")


if __name__ == "__main__":
    main()
