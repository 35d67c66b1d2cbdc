# SPDX-License-Identifier: Apache-2.0
"""The C++ encoders, the C decoders and the NumPy reference: the same of everything.

Random tensors are packed by the encoders and by the reference, with the same format, options, tile
and transforms. The blobs have to be equal, and both decoders have to give the tensor, whole and
tile by tile. Then the blob is changed a few times: both decoders have to accept or to refuse the
same mutants, and to make the same of those that they accept.

    python fuzz_differential.py --count 1000
    python fuzz_differential.py --seconds 3600 --first 5000
"""

import argparse
import random
import sys
import time
import traceback
from collections import Counter

import numpy as np
from random_tensors import Case, Int8Array, changed, random_case

from stridepack import Packed, reference
from stridepack.errors import CorruptDataError
from stridepack.reference import blob as parts_of
from stridepack.reference import transforms as described

MUTANTS_EACH = 8
MOST_ELEMENTS = 1 << 16  # a mutant of 100 bytes may ask for a gigabyte


def check(seed: int, counts: Counter[str]) -> None:
    """Check one tensor and some mutants of its blob. Raises AssertionError."""
    rng = np.random.default_rng(seed)
    case = random_case(rng)
    try:
        blob = _check_case(case)
        counts[case.format] += 1
        changes = random.Random(seed)
        other = Packed.encode(random_case(rng).values, case.format).to_bytes()
        for _ in range(MUTANTS_EACH):
            mutant = changed(blob, other, changes)
            if (
                changes.random() < 0.9
            ):  # or else the checksum differs, and nothing else is looked at
                mutant = mutant[:8] + parts_of.u32(parts_of.checksum(mutant)) + mutant[12:]
            counts[_verdict(mutant)] += 1
    except Exception as error:
        raise AssertionError(f"{case}: {error}") from error


def _check_case(case: Case) -> bytes:
    values, format, tile, transforms, options = case
    packed = Packed.encode(values, format, tile, transforms=transforms, **options)
    blob = packed.to_bytes()
    live, predicted = transforms.live, transforms.prediction
    parts = prediction = None
    if live is not None:
        parts = described.Parts(live.row, live.rows, live.columns, live.unit, live.classes)
    if predicted is not None:
        prediction = described.Prediction(predicted.kind, predicted.distance, predicted.second)
    expected = reference.encode(values, format, tile, parts, prediction, **options)
    assert blob == expected, f"the encoders differ: {_first(blob, expected)}"
    _require_equal(reference.decode(blob), values, "reference")
    again = Packed.from_bytes(blob)
    _require_equal(again.unpack(), values, "C")
    tiles = [again.unpack_tile(t) for t in range(again.n_tiles)]
    _require_equal(np.concatenate([np.empty(0, np.int8), *tiles]), values.reshape(-1), "C, tiles")
    assert sum(again.streams.values()) == again.payload_nbytes, "the streams are not the payload"
    return blob


def _first(blob: bytes, expected: bytes) -> str:
    offsets = (i for i in range(min(len(blob), len(expected))) if blob[i] != expected[i])
    return f"{len(blob)} and {len(expected)} bytes, the first at offset {next(offsets, 'the end')}"


def _require_equal(decoded: Int8Array, values: Int8Array, decoder: str) -> None:
    assert decoded.shape == values.shape, f"{decoder}: shape {decoded.shape}"
    differ = np.flatnonzero(decoded.reshape(-1) != values.reshape(-1))
    assert differ.size == 0, f"{decoder}: {differ.size} elements differ, first {differ[0]}"


class _Slots:
    """Sees all slots that the reference decodes. Two for one element may hold different values
    after a change, and then a decoder may take either."""

    def __init__(self) -> None:
        self.contradict = False
        self._decode = parts_of._decode_part

    def __enter__(self) -> "_Slots":
        def decode(format: str, data: bytes, n: int) -> parts_of.Slots:
            c, v = self._decode(format, data, n)
            last = np.zeros(n, np.int8)
            last[c] = v
            self.contradict |= bool((last[c] != v).any())
            return c, v

        parts_of._decode_part = decode
        return self

    def __exit__(self, *_: object) -> None:
        parts_of._decode_part = self._decode


def _verdict(mutant: bytes) -> str:
    """What both make of a mutant: "refused", "accepted", or "large" where it was not decoded."""
    found: list[Int8Array | None] = []
    try:
        if parts_of.read_header(mutant).n_elements > MOST_ELEMENTS:
            return "large"
    except CorruptDataError:
        pass  # C has to refuse it, too
    with _Slots() as slots:
        for decode in (reference.decode, lambda blob: Packed.from_bytes(blob).unpack()):
            try:
                found.append(decode(mutant))
            except CorruptDataError:
                found.append(None)
    by_reference, by_c = found
    if by_reference is None or by_c is None:
        who = "C" if by_reference is None else "the reference"
        assert by_reference is by_c, f"only {who} accepts {mutant.hex()}"
        return "refused"
    if slots.contradict:
        assert by_reference.shape == by_c.shape, f"shapes of {mutant.hex()}"
        return "accepted, contradicts itself"
    _require_equal(by_c, by_reference, f"C against the reference: {mutant.hex()}")
    return "accepted"


def main() -> None:
    """Check until a number of tensors or some seconds are over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10**9)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    begin, seed, wrong = time.monotonic(), options.first, 0
    counts: Counter[str] = Counter()
    while seed < options.first + options.count and time.monotonic() - begin < options.seconds:
        try:
            check(seed, counts)
        except AssertionError as error:
            wrong += 1
            if not isinstance(error.__cause__, AssertionError):
                traceback.print_exception(error.__cause__)
            print(f"seed {seed}: {error}", flush=True)
        seed += 1
    print(
        f"fuzz_differential: {seed - options.first:,} tensors, {wrong} wrong, "
        f"{time.monotonic() - begin:.0f} seconds; "
        + ", ".join(f"{name} {n:,}" for name, n in sorted(counts.items()))
    )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
