# SPDX-License-Identifier: Apache-2.0
"""Mutants of .tflite files that know the structure of what they change.

Two kinds by turns. One keeps the bytes of a file and changes those that a reader follows: offsets,
lengths, entries of vtables, numbers. Their places are recorded while the file is read. The other
changes the objects of a model - shapes, types, scales, indices, lists - and writes a file that is
well-formed as a flatbuffer. A mutant depends on its seed alone.
"""

import pickle
import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

import flatbuffers
import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from stridepack.errors import StridepackError
from stridepack.tflite.constants import parse_tflite
from stridepack.tflite.model import Buffer, load_model

Place = tuple[int, int]  # offset and size of a number


def mutant(bases: list[bytes], seed: int) -> bytes:
    """One changed file.

    Parameters
    ----------
    bases : list of bytes
        Files to start from.
    seed : int
    """
    rng = random.Random(seed)
    base = rng.choice(bases)
    if rng.random() < 0.5:
        return _change_bytes(base, rng)
    try:
        return _change_objects(base, rng)
    except Exception:  # flatbuffers does not write every nonsense, and this is not what is tested
        return _change_bytes(base, rng)


def places_of(data: bytes) -> list[Place]:
    """Where the numbers lie that a reader of the file looks at, in the order of the file."""
    found: set[Place] = set()
    with _recording(found), suppress(StridepackError):  # up to there they were recorded
        parse_tflite(data)
    return sorted(found)


@contextmanager
def _recording(found: set[Place]) -> Iterator[None]:
    encode = flatbuffers.encode
    get, get_vector = encode.Get, encode.GetVectorAsNumpy

    def record(packer: Any, buffer: Any, head: int) -> Any:
        found.add((int(head), packer.size))
        return get(packer, buffer, head)

    def record_vector(numpy_type: Any, buffer: Any, count: int, offset: int) -> Any:
        size = np.dtype(numpy_type).itemsize
        found.update((int(offset) + i * size, size) for i in range(min(count, 64)))
        return get_vector(numpy_type, buffer, count, offset)

    encode.Get, encode.GetVectorAsNumpy = record, record_vector
    try:
        yield
    finally:
        encode.Get, encode.GetVectorAsNumpy = get, get_vector


@lru_cache(100)
def _places(base: bytes) -> list[Place]:
    return places_of(base)


@lru_cache(100)
def _pickled(base: bytes) -> bytes:
    """The objects of a model, which are faster to copy than to read."""
    return pickle.dumps(load_model(base, "base").root)


def prepare(bases: list[bytes]) -> None:
    """Read the bases once, before processes are forked that change them."""
    for base in bases:
        _places(base)
        with suppress(StridepackError):
            _pickled(base)


def _change_bytes(base: bytes, rng: random.Random) -> bytes:
    places = _places(base)
    data = bytearray(base)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        kind = rng.random()
        if kind < 0.75:
            offset, size = rng.choice(places)
            old = int.from_bytes(data[offset : offset + size], "little")
            data[offset : offset + size] = _number(rng, old, 8 * size, len(base)).to_bytes(
                size, "little"
            )
        elif kind < 0.9:
            (a, size), (b, _) = rng.choice(places), rng.choice(places)
            data[a : a + size] = data[b : b + size].ljust(size, b"\0")
        elif kind < 0.95:
            del data[rng.randrange(8, len(data)) :]
            data += bytes(rng.choice((0, 4, 1000)))
        else:
            at = rng.randrange(8, len(data))
            data[at : at + 16] = rng.randbytes(16)
        data = data[:8].ljust(8, b"\0") + data[8:].ljust(len(base) - 8, b"\0")
    return bytes(data)


def _number(rng: random.Random, old: int, bits: int, nbytes: int) -> int:
    """A number that is likely to matter in a place where another one was."""
    candidates = (
        *(old + d for d in (-4, -2, -1, 1, 2, 4, 16)),
        *(0, 1, 2, 127, 128, 255, 256, -1, -2, -128),
        *(1 << bits - 1, (1 << bits - 1) - 1, old << 1, old << 8, old >> 1, old ^ 1 << bits - 1),
        *(nbytes, nbytes - 4, 65535, 65536, 1 << 20, 1 << 24, 1 << 30),
        rng.getrandbits(bits),
    )
    return rng.choice(candidates) % (1 << bits)


def _change_objects(base: bytes, rng: random.Random) -> bytes:
    root = pickle.loads(_pickled(base))
    for _ in range(rng.choice((1, 1, 2, 3))):
        objects = _objects(root)
        item = rng.choice(objects)
        if isinstance(item, Buffer):
            item.data = _changed_array(item.data, rng)
            continue
        name = rng.choice(sorted(vars(item)))
        others = [other for other in objects if type(other) is type(item)]
        setattr(item, name, _changed(getattr(item, name), rng, getattr(rng.choice(others), name)))
    builder = flatbuffers.Builder(1024)
    builder.Finish(root.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _objects(root: Any) -> list[Any]:
    """The model and all objects that it consists of."""
    found, waiting = [], [root]
    while waiting:
        item = waiting.pop()
        found.append(item)
        if isinstance(item, Buffer):
            continue
        for _, value in sorted(vars(item).items()):
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, Buffer) or type(each).__module__ == schema.__name__:
                    waiting.append(each)
    return found


def _changed(value: Any, rng: random.Random, other: Any) -> Any:
    """A value in place of another one; `other`: that of a similar object."""
    if rng.random() < 0.2:
        return other
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | np.integer):
        number = _number(rng, int(value), 32, 1024)
        return number - (1 << 32) if number >= 1 << 31 else number
    if isinstance(value, float | np.floating):
        return rng.choice((0.0, -1.0, float("nan"), float("inf"), 1e-38, 1e38))
    if isinstance(value, bytes):
        return rng.choice((b"", b"\0", b"\x1b[31m", b"\xff\xfe", value * 100, b"a" * 70_000, None))
    if isinstance(value, np.ndarray):
        return _changed_array(value, rng)
    if isinstance(value, list):
        return _changed_list(value, rng)
    return None


def _changed_list(items: list[Any], rng: random.Random) -> list[Any] | None:
    kind = rng.randrange(6)
    at = rng.randrange(len(items)) if items else 0
    if kind == 0:
        return None
    if kind == 1:
        return items[:at] + items[at + 1 :]
    if kind == 2:
        return items + items[at : at + 1] * rng.choice((1, 2, 50))
    if kind == 3:
        return rng.sample(items, len(items))
    if items and isinstance(items[at], int):
        return [*items[:at], _changed(items[at], rng, items[0]), *items[at + 1 :]]
    return items[::-1]


def _changed_array(array: Any, rng: random.Random) -> Any:
    array = np.array(array)
    if array.size == 0:
        return np.zeros(rng.choice((1, 16, 17)), array.dtype)
    kind = rng.randrange(4)
    if kind == 0:
        return array[: rng.randrange(array.size)]
    if kind == 1:
        return np.tile(array, rng.choice((2, 3)))
    raw = bytearray(array.tobytes())
    for _ in range(rng.choice((1, 1, 4))):  # mostly in the header, where there is one
        at = rng.randrange(min(len(raw), rng.choice((8, 24, len(raw)))))
        raw[at] = rng.choice((0, 1, 127, 128, 255, raw[at] ^ 1 << rng.randrange(8)))
    return np.frombuffer(bytes(raw), array.dtype)
