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

The decoders run on the stack of `setup` and `loop`. It has 8,192 bytes on an ESP32 and 4,096 bytes
on an ESP8266. `huffman` takes up to 6,400 bytes of it, `rans` 2,600, and the other formats 600. On
AVR, the stack has what other data leaves of the RAM. No message says that it is too small.

## Keep the weights in Flash on AVR boards

The constants of a program for AVR are copied to RAM at the start, and so are the blobs. Rename
`weights.c` to `weights_blobs.h`, so that only your sketch compiles it, and begin the sketch with:

```cpp
#include <avr/pgmspace.h>
#include <spk_reader.h>
#define STRIDEPACK_PLACE PROGMEM
#include "weights_blobs.h"

static uint8_t window[512];  // a blob with its largest tile must fit
static spk_reader reader;

static int read_flash(void *blob, uint32_t offset, void *dst, uint32_t n) {
  memcpy_P(dst, (const uint8_t *)blob + offset, n);
  return 0;
}

static spk_status open_in_flash(const weights_tensor *tensor) {
  spk_status status = spk_reader_init(&reader, read_flash, (void *)tensor->blob,
                                      tensor->blob_size, window, sizeof window);
  return status == SPK_OK ? spk_reader_open(&reader, 0, tensor->blob_size) : status;
}
```

After `open_in_flash`, call `spk_reader_validate(&reader)` and
`spk_reader_decode_s8(&reader, buffer, sizeof buffer)`. `memcpy_P` reaches the first 64 KiB of
Flash. Where the window is too small, the status is `SPK_ERROR_WINDOW`, and `reader.window_needed`
says how many bytes it should have.
"""

# Their decoders need more stack than the loop of some boards has.
_DEEP = ("rans", "huffman")

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
        shallow = [name for name in library.formats if name not in _DEEP]
        tensors["example"] = Packed.encode(values, (shallow or library.formats)[-1])
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
