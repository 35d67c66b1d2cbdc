# SPDX-License-Identifier: Apache-2.0
"""A trained network in few bytes: to bring it back from another machine.

Its weights are int8, with one scale for each output channel, in the smallest of our formats. This
is what conversion makes of them anyway, and folding batch normalisation into them changes scales
only: the .tflite has the same integers as if the checkpoint had come back. All other values stay
float32. What an optimiser knows is left out. ResNet34 takes 20 MB instead of 170.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import stridepack as sp
from stridepack.pruning import to_arrays


def packed(model: nn.Module, about: dict[str, Any]) -> bytes:
    """The network as bytes, and with it plain values that say what it is."""
    arrays = to_arrays(model)
    others = {name: value for name, value in model.state_dict().items() if name not in arrays}
    weights = {
        name: (_tensor(sp.pack(array.values, "auto").to_bytes()), torch.from_numpy(array.scales))
        for name, array in arrays.items()
    }
    file = io.BytesIO()
    torch.save({"about": about, "weights": weights, "others": others}, file)
    return file.getvalue()


def unpacked(content: bytes) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What it is, and the state of the network."""
    saved = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    state: dict[str, Tensor] = dict(saved["others"])
    for name, (blob, scales) in saved["weights"].items():
        values = torch.from_numpy(sp.Packed.from_bytes(blob.numpy().tobytes()).unpack())
        state[name] = values * scales.reshape(-1, *[1] * (values.ndim - 1))
    return saved["about"], state


def read(folder: Path) -> Iterable[tuple[str, dict[str, Any], dict[str, Tensor]]]:
    """What `write_parts` wrote into a folder and its folders: names, what it is, and states.

    Raises
    ------
    SystemExit
        When there is nothing, or when a part is missing or damaged.
    """
    for name, content in read_parts(folder):
        try:
            about, state = unpacked(content)
        except Exception as error:  # torch raises errors of many kinds
            raise SystemExit(
                f"{name}: the {len(content):,} bytes of its parts are damaged, or a last part is "
                "missing. Copy them again."
            ) from error
        yield name, about, state


def write_parts(content: bytes, folder: Path, name: str, largest: int) -> int:
    """Write NAME.part00, NAME.part01, ... of at most so many bytes each; return how many."""
    starts = range(0, len(content), largest)
    for number, start in enumerate(starts):
        (folder / f"{name}.part{number:02d}").write_bytes(content[start : start + largest])
    return len(starts)


def read_parts(folder: Path) -> Iterable[tuple[str, bytes]]:
    """The names and contents of what `write_parts` wrote into a folder and its folders."""
    found: dict[Path, dict[int, Path]] = {}
    for part in folder.rglob("*.part*"):
        number = part.suffix.removeprefix(".part")
        if number.isdecimal():
            found.setdefault(part.with_suffix(""), {})[int(number)] = part
    if not found:
        raise SystemExit(f"{folder} has no file that `train` has written, such as NAME.part00.")
    for name, parts in sorted(found.items()):
        for number in range(max(parts)):
            if number not in parts:
                raise SystemExit(f"{name}.part{number:02d} is missing. Copy it, too.")
        yield name.name, b"".join(parts[number].read_bytes() for number in sorted(parts))


def _tensor(content: bytes) -> Tensor:
    return torch.frombuffer(bytearray(content), dtype=torch.uint8)
