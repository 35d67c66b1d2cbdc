# SPDX-License-Identifier: Apache-2.0
"""Checkpoints in several .safetensors files: the index that names them, and where they go."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stridepack.errors import InputError, ModelError, OutputError, reason
from stridepack.files.outputs import check_output
from stridepack.files.read import check_is_file
from stridepack.files.safetensors import Contents
from stridepack.files.stream import Shard
from stridepack.files.table import type_of


def read_index(path: Path) -> dict[Path, list[str]]:
    """The shards of a checkpoint, sorted by name, and the tensors that each one should have.

    Raises
    ------
    ModelError
    """
    check_is_file(path)
    try:
        weight_map: Any = json.loads(path.read_bytes())["weight_map"]
    except OSError as error:
        raise ModelError(f"{path}: the file cannot be read: {reason(error)}.") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(
            f"{path}: this is not the index of a checkpoint, or it is damaged. An index is a JSON "
            "object with a `weight_map`."
        ) from error
    if not isinstance(weight_map, Mapping) or not weight_map:
        raise ModelError(f"{path}: its `weight_map` names no tensors.")
    shards: dict[Path, list[str]] = {}
    for tensor, name in weight_map.items():
        if not isinstance(name, str) or Path(name).name != name or "\0" in name:
            raise ModelError(
                f"{path}: tensor {tensor[:80]!r} is said to be in {str(name)[:80]!r}. That is not "
                "the name of a file beside the index."
            )
        if not name.lower().endswith(".safetensors"):
            raise ModelError(
                f"{path}: tensor {tensor[:80]!r} is in {name[:80]!r}. Only .safetensors files are "
                "read here."
            )
        shards.setdefault(path.with_name(name), []).append(tensor)
    return dict(sorted(shards.items()))


def open_shards(index: Path, output: Path) -> list[Shard]:
    """The shards of a checkpoint, of which only the headers are read.

    Raises
    ------
    ModelError
        Where a shard is missing or damaged, lacks a tensor, or has one that another has, too.
    """
    shards = []
    places: dict[str, Path] = {}
    for path, tensors in read_index(index).items():
        check_is_file(path)
        contents = Contents(path)
        for name in tensors:
            if name not in contents.types:
                raise ModelError(
                    f"{path}: it has no tensor {name[:80]!r}, which {index.name} says is in it. "
                    "Copy the checkpoint again."
                )
        for entry in contents.entries:
            other = places.setdefault(entry.name, path)
            if other != path:
                raise ModelError(
                    f"{path}: it has a tensor {entry.name[:80]!r}, and so has {other.name}. Each "
                    "tensor must be in one file only. Remove the file that does not belong to the "
                    "checkpoint from the index, or copy the checkpoint again."
                )
        shards.append(Shard(contents, output / f"{path.stem}.spk"))
    return shards


def check_folder(index: Path, output: Path) -> None:
    """Refuse an output that is not, and cannot become, a directory."""
    if output.is_dir():
        return
    if output.exists() or output.is_symlink() or type_of(output).write is not None:
        raise InputError(
            f"{output}: {index.name} is the index of a checkpoint in several files, and each of "
            "them becomes a .spk file. Give the name of a directory, such as packed."
        )
    check_output(output)


def check_targets(output: Path, shards: list[Shard]) -> None:
    """Refuse a directory in which a file cannot be replaced."""
    names = [shard.output.name for shard in shards]
    for name, shard in zip(names, shards, strict=True):
        if names.count(name) > 1:
            raise OutputError(
                f"{shard.output} cannot be written, because two shards would have this name. "
                "Rename one of them."
            )
        if output.is_dir():
            check_output(shard.output)
