# SPDX-License-Identifier: Apache-2.0
"""What decoding costs on a target: cycles, code and stack, estimated from the blobs.

`work/` counts what a decoder has to do, `_fitted.py` holds the costs that bench/m55/fit.py fitted
to measurements, and `estimate.py` multiplies the two. Nothing here decodes or chooses.
"""

from stridepack.cost.estimate import decode_cycles, decoder_nbytes, targets, unit_of
from stridepack.cost.work import work_of

__all__ = ["decode_cycles", "decoder_nbytes", "targets", "unit_of", "work_of"]
