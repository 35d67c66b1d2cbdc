"""Tiles from their streams: what valid and broken vectors are written with."""

import struct
from collections.abc import Mapping, Sequence
from itertools import pairwise

from layout import join, nibbles, u32


def dcsr(
    values: bytes,
    *,
    slope: int = 0,
    deltas: bytes = b"",
    bitmap: int = 0,
    base: int = 0,
    extensions: bytes = b"",
) -> bytes:
    """A dcsr tile of one group, or of none."""
    streams = {"header": u32(len(values), slope)}
    if values:
        streams |= {
            "values": values,
            "deltas": deltas.ljust(16, b"\0"),
            "bitmaps": nibbles(bitmap),
            "bases": struct.pack("b", base),
            "extensions": extensions,
        }
    return join(streams)


def dcsr_pair(first_base: int, second_base_delta: int) -> bytes:
    """Two whole groups of slope 0: lanes 0 to 14 at the base, all 1, lane 15 255 behind it, 2."""
    return join(
        {
            "header": u32(32, 0),
            "values": (b"\1" * 15 + b"\2") * 2,
            "deltas": bytes(15) + nibbles(15, 15),
            "bitmaps": nibbles(15, 15),
            "bases": bytes([first_base, second_base_delta]),
            "extensions": struct.pack("<8H", *[1 << 15] * 8),
        }
    )


def hybrid(
    first_stride_and_code_bits: tuple[int, int],
    *,
    classes: Sequence[tuple[int, int]],
    values: bytes,
    strides: bytes,
    distances: bytes,
    remainder: bytes | None = None,
) -> bytes:
    """A hybrid tile. classes: (size, number of groups)."""
    streams = {
        "header": bytes([len(classes), *first_stride_and_code_bits, 0]) + u32(len(distances)),
        "classes": u32(*(n_groups << 8 | size for size, n_groups in classes)),
        "values": values,
        "strides": strides,
        "distances": distances,
    }
    return join(streams) + (dcsr(b"") if remainder is None else remainder)


def rans_record(
    length: int,
    n: int,
    ends: Sequence[int],
    states: Sequence[int] = (256,) * 8,
    sizes: Sequence[int] = (0,) * 8,
    *,
    wide: bool = False,
) -> bytes:
    """The record of a block: its length and elements; the ends, states and sizes of its lanes."""
    if wide:
        return struct.pack("<25H", n, *states, *ends, *sizes)
    from_even = [end - (i + 1) * length // 8 for i, end in enumerate(ends)]
    return struct.pack("<9H8b8B", n, *states, *from_even, *sizes)


def huffman(
    n: int,
    positions: bytes,
    *,
    k: int = 0,
    has_zero: int = 0,
    n_gaps: int = 0,
    positive: tuple[int, int] = (1, 5),
    negative: tuple[int, int] = (0, 0),
    lengths: Sequence[int] = (),
    value_bits: bytes = b"",
    value_codes: bytes = b"",
) -> bytes:
    """A huffman tile of n elements. positive, negative: how many symbols, and the first magnitude.

    Without more arguments: a bitmap, and every value is 5.
    """
    counts, firsts = zip(positive, negative, strict=True)
    alignment = -len(value_codes) % 4
    header = bytes([k, has_zero, n_gaps, alignment, *counts, *firsts])
    streams = {
        "header": u32(n, len(positions)) + header,
        "lengths": nibbles(*lengths),
        "value_bits": value_bits,
        "positions": positions,
        "value_codes": value_codes,
    }
    return join(streams)


def code_stream(text: str) -> bytes:
    """Bits as text, most significant first, and zeros up to a whole byte."""
    text = text.replace(" ", "")
    return bytes(int(text[i : i + 8].ljust(8, "0"), 2) for i in range(0, len(text), 8))


def sparse(n: int, elements: Mapping[int, int]) -> bytes:
    """n bytes, zero but for the given elements."""
    array = bytearray(n)
    for position, value in elements.items():
        array[position] = value
    return bytes(array)


def at(position: int) -> int:
    """A non-zero for each position, so that all slots of one agree."""
    return position % 251 + 1


def hybrid_of_one_size(
    size: int, starts: Sequence[int], strides: Sequence[int]
) -> tuple[bytes, bytes]:
    """A hybrid tile of groups of one size, and what it decodes to: it ends with the last slot."""
    groups = [
        range(start, start + size * stride, stride)
        for start, stride in zip(starts, strides, strict=True)
    ]
    distances = [after - before for before, after in pairwise([0, *starts])]
    tile = hybrid(
        (1, 4),
        classes=[(size, len(groups))],
        values=bytes(at(c) for group in groups for c in group),
        strides=nibbles(*(stride - 1 for stride in strides)),
        distances=b"".join(b"\xff" * (d // 255) + bytes([d % 255]) for d in distances),
    )
    elements = {c: at(c) for group in groups for c in group}
    return tile, sparse(max(elements) + 1, elements)
