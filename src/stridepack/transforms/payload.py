# SPDX-License-Identifier: Apache-2.0
"""The payload of a blob with transforms, written, and which parts it has (docs/format.md, 2.1)."""

import struct
from collections.abc import Callable, Iterator

import numpy as np

from stridepack import _spec
from stridepack.errors import InputError
from stridepack.transforms.apply import Int8Array, Live, Prediction, Transforms


def write_payload(
    transforms: Transforms,
    flat: Int8Array,
    tile_size: int,
    encode: Callable[[Int8Array], bytes | memoryview],
) -> bytes | memoryview:
    """Bitmaps, tile index and tiles.

    `encode` gives what the format makes of the elements of a part, of which there is at least one.
    """
    tiles = []
    for parts in transforms.parts(flat, tile_size):
        encoded = [encode(part) if part.size else b"" for part in parts]
        if len(parts) == 1:
            tiles.append(encoded[0])
        elif any(part.size for part in parts):
            tiles.append(b"".join((struct.pack("<I", len(encoded[0])), *encoded)))
        else:
            tiles.append(b"")
    bitmaps = b"" if transforms.live is None else transforms.live.bitmaps()
    bitmaps += bytes(-len(bitmaps) % 4)
    ends = 4 * len(tiles) + np.cumsum([len(tile) for tile in tiles], dtype=np.int64)
    if ends[-1] >= 1 << 32:
        raise InputError("The packed tensor exceeds 4 GiB. Pack it in parts.")
    index = ends.astype("<u4").tobytes() if len(tiles) > 1 else b""
    return b"".join((bitmaps, index, *tiles))


def read_transforms(flags: int, parameters: list[int], n: int, payload: memoryview) -> Transforms:
    """The transforms of a valid blob of n elements.

    Parameters
    ----------
    flags : int
        Those of the header.
    parameters : list of int
        The varints after those of the shape and the tiles.
    """
    fields = iter(parameters)
    live = prediction = None
    if flags & _spec.FLAGS["live"]:
        present = next(fields)
        row = next(fields) if present & 1 else 0
        n_columns = next(fields) if present & 2 else 0
        unit, n_units = (next(fields), next(fields)) if present & 4 else (0, 0)
        bits = []
        begin = 0
        for count in (n // row if row else 0, n_columns, n_units):
            end = begin + -(-count // 8)
            data = np.frombuffer(payload[begin:end], np.uint8)
            bits.append(np.unpackbits(data, count=count).astype(bool) if count else None)
            begin = end
        live = Live(row, bits[0], bits[1], unit, bits[2])
    if flags & _spec.FLAGS["predicted"]:
        prediction = Prediction(next(fields), next(fields), next(fields))
    return Transforms(live, prediction)


def split_tiles(
    transforms: Transforms, tiles: Iterator[tuple[memoryview, int]]
) -> Iterator[tuple[memoryview, int]]:
    """For each part of each tile its bytes and how many elements the format has there.

    `tiles` are the bytes of all tiles, and their elements in the tensor.
    """
    begin, first_live = 0, 0
    for data, n in tiles:
        live = transforms.live
        if live is None:
            yield data, n
            continue
        n_live = int(np.count_nonzero(live.mask(begin, begin + n)))
        begin += n
        if live.classes is None or n_live == 0:
            parts = [(data, n_live)]
        else:
            n_second = int(np.count_nonzero(live.second_class(first_live, n_live)))
            (size,) = struct.unpack_from("<I", data)
            parts = [(data[4 : 4 + size], n_live - n_second), (data[4 + size :], n_second)]
        first_live += n_live
        yield from (part for part in parts if part[1])
