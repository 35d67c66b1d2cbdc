# SPDX-License-Identifier: Apache-2.0
"""Pack all vectors into one file, which C programs walk without a file system: ../c/vector.h.

    python tests/vectors/image.py OUT

Integers are little-endian. First a header: "SPKV", u32 number of vectors, u32 size of the image.
Then for each vector: u32 offset of its name, which a zero byte ends; u32 offset and size of its
data; u32 offset and size of the bytes expected, none for invalid ones; u8 kind, 0 blob or 1 bundle;
u8 expected statuses of open, validate and decode, 255 where it is not reached. Data start at
multiples of 16 bytes.
"""

import csv
import os
import struct
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
SPEC = HERE.parent.parent / "spec/spec.toml"

HEADER = struct.Struct("<4sII")
ENTRY = struct.Struct("<5I4B")

Vector = tuple[str, bytes, bytes, bytes]  # name, data, expected bytes, statuses


def read_vectors() -> list[Vector]:
    vectors = [
        (path.name, path.read_bytes(), path.with_suffix(".raw").read_bytes(), bytes(3))
        for path in sorted((HERE / "valid").iterdir())
        if path.suffix in (".blob", ".spk")
    ]
    statuses = {
        name: row["value"] for name, row in tomllib.loads(SPEC.read_text())["status"].items()
    }
    statuses["-"] = 255
    with (HERE / "invalid/index.csv").open(newline="") as index:
        for row in csv.DictReader(index):
            data = (HERE / "invalid" / row["file"]).read_bytes()
            expected = bytes(statuses[row[call]] for call in ("open", "validate", "decode"))
            vectors.append((row["file"], data, b"", expected))
    return vectors


def build_image(vectors: list[Vector]) -> bytes:
    begin = HEADER.size + ENTRY.size * len(vectors)
    entries, body = b"", bytearray()

    def append(data: bytes) -> int:
        body.extend(bytes(-(begin + len(body)) % 16))
        offset = begin + len(body)
        body.extend(data)
        return offset

    for name, data, raw, expected in vectors:
        name_offset = append(name.encode() + b"\0")
        entry = (name_offset, append(data), len(data), append(raw), len(raw))
        entries += ENTRY.pack(*entry, name.endswith(".spk"), *expected)
    return HEADER.pack(b"SPKV", len(vectors), begin + len(body)) + entries + body


def main() -> int:
    out = Path(sys.argv[1])
    image = build_image(read_vectors())
    out.parent.mkdir(parents=True, exist_ok=True)
    # Renamed into place: two makes may build it at once.
    part = out.with_name(f"{out.name}.{os.getpid()}")
    part.write_bytes(image)
    part.replace(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
