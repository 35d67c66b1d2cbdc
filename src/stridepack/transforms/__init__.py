# SPDX-License-Identifier: Apache-2.0
"""What is done to a tensor in front of a format: dead rows and columns, two classes, prediction.

`apply.py` does it (docs/format.md, section 2.1), the other files find out what pays: each has a
``find_...`` that goes by estimates of the entropy, which take milliseconds, and encodes nothing.
"""

from stridepack.transforms.apply import Transforms
from stridepack.transforms.choose import choose_transforms

__all__ = ["Transforms", "choose_transforms"]
