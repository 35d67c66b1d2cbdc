# SPDX-License-Identifier: Apache-2.0
"""Files in, files out.

`table.py` is the one table of what can be done with each suffix. `read.py`, `pack.py`, `unpack.py`
and `verify.py` are the jobs on top of it. `arrays.py`, `onnx.py`, `safetensors.py`, `spk.py`,
`c_source.py` and `tflite.py` know one kind of file each, `blobs.py` chooses formats for those that
hold blobs. `runtime/` writes the C runtime, and `atomic.py` writes complete files or none.
"""

from stridepack.files.job import DECODERS, Stored
from stridepack.files.pack import PackResult, pack_file
from stridepack.files.read import read_weights
from stridepack.files.spk import read_bundle, write_bundle
from stridepack.files.unpack import unpack_file
from stridepack.files.verify import Verification, verify_files

__all__ = [
    "DECODERS",
    "PackResult",
    "Stored",
    "Verification",
    "pack_file",
    "read_bundle",
    "read_weights",
    "unpack_file",
    "verify_files",
    "write_bundle",
]
