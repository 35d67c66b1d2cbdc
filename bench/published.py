# SPDX-License-Identifier: Apache-2.0
"""Numbers of the paper, to stand beside ours: its Table I, Section IV-A and Appendix A."""

SPARSITIES = (0.3, 0.5, 0.7)

# Top-1 accuracy against the dense network, in percentage points, at 30, 50 and 70 % sparsity
ACCURACY_CHANGE = {
    "ResNet8": (-0.22, -0.54, -1.96),
    "MobileViT-XXS": (0.12, -0.17, -1.64),
    "MobileNetV2": (0.00, -0.79, -2.86),
    "ResNet34": (0.06, -0.17, -2.40),
}
# Prunable weights, and weights in all
WEIGHTS = {
    "ResNet8": (73.73e3, 77.77e3),
    "MobileViT-XXS": (899.07e3, 1.08e6),
    "MobileNetV2": (2.33e6, 2.46e6),
    "ResNet34": (21.27e6, 21.38e6),
}
# Bytes of the prunable weights ("k" = 1000)
FOOTPRINT = {
    "ResNet8": {
        "hybrid": (71.23e3, 54.38e3, 35.34e3),
        "rle": (77.44e3, 55.32e3, 33.53e3),
        "dcsr": (82.41e3, 58.92e3, 36.47e3),
        "psr": (103.53e3, 74.03e3, 44.55e3),
    },
    "MobileViT-XXS": {
        "hybrid": (844.80e3, 645.97e3, 425.91e3),
        "rle": (922.72e3, 663.62e3, 409.28e3),
        "dcsr": (986.86e3, 711.25e3, 450.81e3),
        "psr": (1.23e6, 884.66e3, 535.54e3),
    },
    "MobileNetV2": {
        "hybrid": (2.25e6, 1.72e6, 1.12e6),
        "rle": (2.45e6, 1.75e6, 1.06e6),
        "dcsr": (2.60e6, 1.86e6, 1.15e6),
        "psr": (3.27e6, 2.34e6, 1.41e6),
    },
    "ResNet34": {
        "hybrid": (20.49e6, 15.65e6, 10.19e6),
        "rle": (22.33e6, 15.95e6, 9.64e6),
        "dcsr": (23.74e6, 16.98e6, 10.46e6),
        "psr": (29.86e6, 21.35e6, 12.84e6),
    },
}
# Cycles to extract ResNet8's prunable weights on the MPS3-AN547 board, read from DDR4
CYCLES_RESNET8 = {
    "hybrid": (451.11e3, 354.44e3, 241.34e3),
    "rle": (392.46e3, 283.32e3, 174.28e3),
    "dcsr": (369.79e3, 265.55e3, 169.73e3),
    "psr": (306.04e3, 222.13e3, 138.05e3),
}
CYCLES_PER_WEIGHT_RESNET8 = {
    format: tuple(cycles / 73728 for cycles in of_format)
    for format, of_format in CYCLES_RESNET8.items()
}
GROUPED_AT_30 = 0.77  # share of the non-zeros in groups (Appendix A)


def as_in_paper(nbytes: float) -> str:
    """A size as Table I prints it."""
    return f"{nbytes / 1e3:.2f}k" if nbytes < 1e6 else f"{nbytes / 1e6:.2f}M"
