# SPDX-License-Identifier: Apache-2.0
"""The worked examples of docs/format.md are what the encoders write."""

import re
from pathlib import Path

import numpy as np
import pytest

import stridepack as sp
from stridepack.files.spk import build_bundle

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/format.md"
EXAMPLES = re.findall(
    r"^```\nexample (?!transforms)(\w+)(?: (tile|width)=(\d+))?\n(.*?)^```",
    DOCUMENT.read_text(),
    re.S | re.M,
)
BUNDLE = re.search(r"^```\nbundle\n(.*?)^```", DOCUMENT.read_text(), re.S | re.M)
LINE = re.compile(r"(\w+) +((?:[0-9a-f]{2}(?: |$))+)")

ARRAY = np.zeros(40, np.int8)
ARRAY[[0, 2, 4, 5, 6, 17, 39]] = (3, -1, 4, 9, -5, -128, 7)


def test_every_format_has_an_example() -> None:
    assert {name for name, *_ in EXAMPLES} == set(sp.formats())


@pytest.mark.parametrize(("name", "option", "value", "text"), EXAMPLES)
def test_example(name: str, option: str, value: str, text: str) -> None:
    packed = sp.pack(ARRAY, format=name, **{option: int(value)} if option else {})
    data = b""
    streams: dict[str, int] = {}
    for line in text.splitlines():
        match = LINE.match(line)
        assert match, line
        stream = bytes.fromhex(match[2])
        data += stream
        streams[match[1]] = streams.get(match[1], 0) + len(stream)
    whole_blob = streams.pop("blob_header", 0) > 0
    blob = packed.to_bytes()
    assert data.hex(" ") == (blob if whole_blob else blob[-packed.payload_nbytes :]).hex(" ")
    assert streams == {stream: size for stream, size in packed.streams.items() if size}


def test_bundle() -> None:
    assert BUNDLE
    lines = [LINE.match(line) for line in BUNDLE[1].splitlines()]
    data = b"".join(bytes.fromhex(match[2]) for match in lines if match)
    assert data.hex(" ") == build_bundle({"w": sp.pack(ARRAY, "bitmap")}).hex(" ")
