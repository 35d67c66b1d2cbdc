# SPDX-License-Identifier: Apache-2.0
"""Pack the committed shrunk networks again, after a change of what `pack` writes.

    python -m experiments.repack

Writes the sizes of the .spk files into experiments/results/resnet8_cifar10_shrink.json, and the
table into docs/shrink.md. The networks and their accuracies stay what they are.
"""

from experiments.measures import points
from experiments.shrink import record, spk_nbytes, write_table

CURVE = "resnet8_cifar10"


def main() -> None:
    for point in points(f"{CURVE}_shrink"):
        sizes = {
            "spk_nbytes": spk_nbytes(point),
            "spk_nbytes_before": spk_nbytes({"tflite": point["from"]}),
        }
        record(CURVE, point | sizes)
    write_table()


if __name__ == "__main__":
    main()
