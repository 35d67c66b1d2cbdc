# SPDX-License-Identifier: Apache-2.0
"""Arduino: a library in the 1.5 layout, where all sources and headers lie in src/."""

import numpy as np

from stridepack.files.c_source import c_sources
from stridepack.files.runtime.library import SUMMARY, Files, Library
from stridepack.packed import Packed

NEXT_STEP = (
    "Put the directory into the folder `libraries` of your sketchbook, and start with the example "
    "Unpack."
)

GUIDE = """\
## Compile it with Arduino

Put this directory into the folder `libraries` of your sketchbook. File > Examples > stridepack >
Unpack is a sketch with a small model. Replace its `weights.c` and `weights.h` by yours.

Arduino has no options for a library. To leave decoders out, write the library for your model:
`stridepack runtime DIRECTORY --for arduino --model weights.h`.
"""

_PROPERTIES = """\
name=stridepack
version={version}
author=The stridepack authors
maintainer=The stridepack authors
sentence={summary}.
paragraph=Decoders in C99. They allocate nothing and are safe on any bytes.
category=Data Processing
url=https://pypi.org/project/stridepack/
architectures=*
includes=spk.h
"""

_SKETCH = """\
// SPDX-License-Identifier: Apache-2.0
// Unpacks every tensor of weights.c, which `stridepack pack MODEL -o weights.c` has written.
// Replace weights.c and weights.h beside this sketch by those of your model.
#include <spk.h>

#include "weights.h"

static int8_t buffer[WEIGHTS_LARGEST_TENSOR];

void setup() {
  Serial.begin(115200);
  for (size_t i = 0; i < WEIGHTS_N_TENSORS; i++) {
    const weights_tensor *tensor = &weights_tensors[i];
    spk_view view;
    spk_status status = spk_open(&view, tensor->blob, tensor->blob_size);
    if (status == SPK_OK) status = spk_validate(&view);
    if (status == SPK_OK) status = spk_decode_s8(&view, buffer, sizeof buffer);
    Serial.print(tensor->name);
    Serial.print(": ");
    Serial.println(spk_status_name(status));
  }
}

void loop() {}
"""


def arrange(library: Library) -> Files:
    """Put the headers beside the sources; add library.properties and an example that runs."""
    values = np.zeros((4, 64), np.int8)
    values[:, ::5] = 7
    tensors = {}
    if library.formats:  # a model without tensors needs none
        tensors["example"] = Packed.encode(values, library.formats[-1])
    source, header = c_sources("weights", tensors)
    moved = {
        path.replace("include/", "src/", 1) if path.startswith("include/") else path: content
        for path, content in library.files.items()
    }
    properties = _PROPERTIES.format(version=library.version, summary=SUMMARY)
    readme = moved["README.md"].replace(b"`include/", b"`src/")
    return moved | {
        "README.md": readme,
        "library.properties": properties.encode(),
        "examples/Unpack/Unpack.ino": _SKETCH.encode(),
        "examples/Unpack/weights.c": source.encode(),
        "examples/Unpack/weights.h": header.encode(),
    }
