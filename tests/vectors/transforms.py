# SPDX-License-Identifier: Apache-2.0
"""Blobs with transforms (docs/format.md, section 2.1): valid ones, and one for each rule."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from broken import Broken
from cases import Int8Array, random_values
from layout import align, u32, varint, with_varints

from stridepack.transforms.apply import Live, Prediction, Transforms

LIVE, PREDICTED = 0x40, 0x80
DENSE, BITMAP = 1, 6  # wire ids
ENTROPY_CODED = ("bitmap", "rans", "huffman")

# The example of the document: 6 rows of 4 columns, of which rows 1 and 4 and column 2 are dead.
EXAMPLE = np.array(
    [
        *(3, -1, 0, 4, 0, 0, 0, 0, 9, 0, 0, -5),
        *(0, 7, 0, 0, 0, 0, 0, 0, -128, 2, 0, 1),
    ],
    np.int8,
).reshape(6, 4)
EXAMPLE_LIVE = Live(4, EXAMPLE.any(axis=1), EXAMPLE.any(axis=0))


@dataclass(frozen=True)
class Case:
    name: str
    values: Int8Array
    transforms: Transforms
    tile: int | None = None
    formats: tuple[str, ...] = ("dense",)
    in_bundle: bool = False


def transform_cases() -> Iterator[Case]:
    yield Case("example", EXAMPLE, Transforms(EXAMPLE_LIVE), formats=("bitmap",))
    yield from _live_cases()
    yield from _class_cases()
    yield from _predicted_cases()


def _live_cases() -> Iterator[Case]:
    for rows, columns in ((9, 6), (5, 40), (12, 276), (40, 16)):
        values, live = _dead(rows, columns, seed=400 + columns)
        for tile in (None, 7, 100):
            if tile != 7 or values.size < 300:
                of = "whole" if tile is None else f"tiles_of_{tile}"
                name = f"live_{rows}x{columns}_{of}"
                formats = ("dense", *ENTROPY_CODED) if columns == 276 else ("rle",)
                yield Case(name, values, Transforms(live), tile, formats)
    values, live = _dead(20, 24, seed=410)
    yield Case("live_rows", values, Transforms(Live(24, live.rows)))
    yield Case("live_rows_tiles_of_50", values, Transforms(Live(24, live.rows)), 50)
    yield Case("live_columns", values, Transforms(Live(columns=live.columns)))
    yield Case("live_long_rows", values, Transforms(Live(48, _any(values, 48), live.columns)))
    none = np.zeros((6, 8), np.int8)
    dead = Live(8, np.zeros(6, bool), np.zeros(8, bool))
    yield Case("live_nothing", none, Transforms(dead))
    yield Case("live_nothing_in_tiles", none, Transforms(dead), 11)
    yield Case("live_everything", values, Transforms(Live(24, np.ones(20, bool))))


def _class_cases() -> Iterator[Case]:
    rng = np.random.RandomState(420)
    values = random_values((30, 40), 50, 421)
    second = rng.rand(40) < 0.4
    values[:, second] >>= 4
    yield Case("classes_of_columns", values, Transforms(Live(unit=1, classes=second)))
    rows = rng.rand(30) < 0.5
    yield Case("classes_of_rows", values, Transforms(Live(unit=40, classes=rows)))
    for tile in (33, 100):
        live = Live(unit=1, classes=second)
        yield Case(f"classes_tiles_of_{tile}", values, Transforms(live), tile)
        live = Live(unit=17, classes=rng.rand(13) < 0.5)
        yield Case(f"classes_of_units_tiles_of_{tile}", values, Transforms(live), tile)
    for name, bits in (("first", np.zeros(5, bool)), ("second", np.ones(5, bool))):
        yield Case(f"classes_only_{name}", values, Transforms(Live(unit=3, classes=bits)))
    values, live = _dead(20, 37, seed=422)
    n_columns = int(np.count_nonzero(live.columns))
    live = Live(live.row, live.rows, live.columns, 1, rng.rand(n_columns) < 0.5)
    for tile in (None, 64):
        of = "whole" if tile is None else f"tiles_of_{tile}"
        yield Case(f"classes_and_dead_{of}", values, Transforms(live), tile)
        everything = Transforms(live, Prediction(3, 37, 74))
        yield Case(f"everything_{of}", values, everything, tile, ENTROPY_CODED)


def _predicted_cases() -> Iterator[Case]:
    values = random_values((16, 40), 30, 430)
    values[random_values(values.shape, 80, 431) != 0] = -128
    for kind in range(5):
        for distance, second in ((1, 1), (2, 7), (3, 4), (15, 40), (16, 17), (80, 40), (639, 1)):
            name = f"predicted_{kind}_{distance}_{second}"
            predicted = Transforms(None, Prediction(kind, distance, second))
            yield Case(name, values, predicted, in_bundle=True)
        name = f"predicted_{kind}_tiles_of_100"
        yield Case(name, values, Transforms(None, Prediction(kind, 40, 20)), 100)


def _dead(n_rows: int, n_columns: int, seed: int) -> tuple[Int8Array, Live]:
    """Random values, of which rows and columns are dead, and their bitmaps."""
    rng = np.random.RandomState(seed)
    values = random_values((n_rows, n_columns), 30, seed)
    values[rng.rand(n_rows) < 0.4] = 0
    values[:, rng.rand(n_columns) < 0.4] = 0
    return values, Live(n_columns, values.any(axis=1), values.any(axis=0))


def _any(values: Int8Array, length: int) -> np.ndarray:
    return values.reshape(-1, length).any(axis=1)


# What breaks a rule ------------------------------------------------------------------------------


def broken_transforms() -> Iterator[Broken]:
    """n_elements is 24, and the format dense or bitmap, unless they are what is broken."""
    for name, why, flags, parameters in _parameters():
        data = _blob(DENSE, flags, parameters, bytes(40))
        yield Broken(f"transforms_{name}.blob", why, data, "header")
    for name, why, n in (("nothing", "no element", 0), ("one_element", "one element", 1)):
        data = _blob(DENSE, PREDICTED, (0, 1, 1), align(bytes(n)), n)
        yield Broken(f"transforms_of_{name}.blob", f"{why}: a distance of 1", data, "header")
    parameters = bytes([24, 0, 1])
    data = with_varints(DENSE | PREDICTED, 1, parameters, bytes(24))
    yield Broken("transforms_parameter_missing.blob", "a distance is missing", data, "header")
    data = with_varints(DENSE, 1, bytes([24, 0, 1, 1, 0, 0, 0]), bytes(24))
    yield Broken("transforms_without_flag.blob", "parameters and no flag", data, "header")
    data = _blob(DENSE, LIVE, (1, 1), b"")
    yield Broken("transforms_bitmap_missing.blob", "24 rows and no bitmap", data, "header")
    for name, why, decoded, data in _payloads():
        yield Broken(f"transforms_{name}.blob", why, data, "ok", "stream", decoded)


def _parameters() -> Iterator[tuple[str, str, int, tuple[int, ...]]]:
    yield "present_0", "live parts without any", LIVE, (0,)
    yield "present_8", "live parts of an unknown kind", LIVE, (8, 4)
    yield "rows_of_0", "rows of 0 elements", LIVE, (1, 0)
    yield "rows_of_24", "one row, of all elements", LIVE, (1, 24)
    yield "rows_of_5", "rows of 5 in 24 elements", LIVE, (1, 5)
    yield "columns_1", "one column", LIVE, (2, 1)
    yield "columns_7", "7 columns in 24 elements", LIVE, (2, 7)
    yield "columns_48", "more columns than elements", LIVE, (2, 48)
    yield "columns_across_rows", "8 columns in rows of 12", LIVE, (3, 12, 8)
    yield "unit_0", "units of 0 elements", LIVE, (4, 0, 2)
    yield "units_1", "one unit", LIVE, (4, 3, 1)
    yield "units_9", "9 units of 3 in 24 elements", LIVE, (4, 3, 9)
    yield "units_too_large", "2^31 units of 2", LIVE, (4, 2, 1 << 31)
    yield "kind_5", "an unknown kind of prediction", PREDICTED, (5, 1, 1)
    for i, which in enumerate(("first", "second")):
        for distance in (0, 24):
            distances = (distance, 1) if i == 0 else (1, distance)
            name, why = f"{which}_distance_{distance}", f"{which} distance {distance}"
            yield name, why, PREDICTED, (0, *distances)


def _payloads() -> Iterator[tuple[str, str, str, bytes]]:
    """Name, why, what decoding gives, and the blob."""
    row = bytes(range(1, 9))

    def rows(bits: int, tile: bytes) -> bytes:
        return _blob(DENSE, LIVE, (1, 8), bytes([bits, 0, 0, 0]) + tile)

    yield "unused_bit", "a bit after the last row", "ok", rows(0b10010000, row)
    yield "live_too_many", "two rows live, values of one", "stream", rows(0b11000000, row)
    yield "live_too_few", "one row live, values of two", "ok", rows(0b10000000, row + row)
    yield "dead_with_bytes", "no row live, and yet 4 bytes", "ok", rows(0, bytes(4))

    def classes(bits: int, tile: bytes) -> bytes:
        return _blob(DENSE, LIVE, (4, 8, 3), bytes([bits, 0, 0, 0]) + tile)

    tile = u32(16) + row + row + row
    yield "unused_class_bit", "a bit after the last unit", "ok", classes(0b01010000, tile)
    yield "class_size_missing", "no size of a part", "stream", classes(0b01000000, b"")
    yield "class_size_odd", "a part of 14 bytes", "stream", classes(0b01000000, u32(14) + tile[4:])
    far = u32(28) + tile[4:]
    yield "class_size_too_large", "a part longer than the tile", "stream", classes(0b01000000, far)
    none = u32(24) + tile[4:]
    yield "class_missing", "a second part of 0 bytes", "stream", classes(0b01000000, none)
    yield "class_empty", "bytes of a class without elements", "ok", classes(0, u32(24) + 4 * row)


def _blob(
    wire_id: int, flags: int, parameters: tuple[int, ...], payload: bytes, n: int = 24
) -> bytes:
    return with_varints(wire_id | flags, 1, b"".join(map(varint, (n, *parameters))), payload)
