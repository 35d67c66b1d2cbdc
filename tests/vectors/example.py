# SPDX-License-Identifier: Apache-2.0
"""The array that every section of docs/format.md ends with."""

import numpy as np

ARRAY = np.zeros(40, np.int8)
ARRAY[[0, 2, 4, 5, 6, 17, 39]] = 3, -1, 4, 9, -5, -128, 7
ARRAY_VALUES = bytes.fromhex("03ff0409fb8007")  # its non-zeros

COUNT = bytes(range(1, 17))

Unusual = tuple[str, bytes, bytes]  # name, tile, and what it decodes to
