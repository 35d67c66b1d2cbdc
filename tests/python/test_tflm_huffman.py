# SPDX-License-Identifier: Apache-2.0
"""Huffman tensors as TensorFlow Lite Micro decodes them: the code, its tables, hostile bytes."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("tflite_micro", reason="needs stridepack[tflite]")

from arrays import random_array
from tflite_cases import run
from tflite_models import ModelBuilder, schema

import stridepack as sp
from stridepack.tflite.constants import parse_tflite
from stridepack.tflite.pack import unpack_tflite
from stridepack.tflite.types import UndecodableError, decode_type
from stridepack.tflite.types.huffman import MAX_LENGTH, Tree, best_code, limited_lengths

HUFFMAN = decode_type("tflm_huffman")

# The code of the example of kernels/decode_state_huffman_test.cc in TensorFlow Lite Micro, written
# down as strings; with it, any stream and any table can be made by hand.
CODEWORDS = {
    **{"m": "000", "a": "001", "j": "010", "o": "0110", "h": "0111", "d": "1000", "i": "10010"},
    **{"f": "10011", "c": "1010", "g": "101100", "l": "101101", "k": "10111", "e": "1100"},
    **{"b": "1101", "p": "1110", "n": "1111"},
}


def decode_with_strings(
    stream: bytes, entries: list[int], root_bits: int, n: int, value_bits: int = 11
) -> list[int]:
    """The decoder as its documentation has it, bit by bit."""
    bits = "".join(f"{byte:08b}" for byte in stream)
    symbols = []
    for _ in range(n):
        at, count = 0, root_bits
        while True:
            at += int(bits[:count], 2)
            entry = entries[at]
            found, field = entry >> (value_bits + 4), entry >> value_bits & 15
            value = entry & ((1 << value_bits) - 1)
            if found:
                symbols.append(value)
                bits = bits[field:]
                break
            bits = bits[count:]
            at, count = at + value, field + 1
    return symbols


def tables_of(codewords: dict[int, str], root_bits: int) -> list[int]:
    """A root table of the given width, and below it tables of one bit."""

    def build(prefix: str, bits: int, at: int, entries: dict[int, int]) -> None:
        end = max(entries, default=-1) + 1
        assert at == end
        children = []
        for index in range(1 << bits):
            path = prefix + f"{index:0{bits}b}"
            entries[at + index] = 0
            match = [(w, s) for s, w in codewords.items() if path.startswith(w)]
            if match:
                ((word, symbol),) = match
                entries[at + index] = 0x8000 | (len(word) - len(prefix)) << 11 | symbol
            else:
                children.append((at + index, path))
        for entry, path in children:
            begin = max(entries) + 1
            entries[entry] = begin - entry
            build(path, 1, begin, entries)

    entries: dict[int, int] = {}
    build("", root_bits, 0, entries)
    return [entries[i] for i in range(len(entries))]


def model_of(
    stream: bytes,
    table: npt.NDArray[Any],
    n: int,
    *,
    parameters: int,
    dtype: str = "int8",
) -> bytes:
    """A model whose output is the decoded tensor."""
    header = bytes([1, 1, 0, 0, 1, parameters]).ljust(16, b"\0")
    build = ModelBuilder()
    encoded = build.constant("w", np.frombuffer(stream, np.uint8), scale=[])
    data = np.frombuffer(header + table.tobytes(), np.uint8)
    ancillary = build.constant(None, data, scale=[])
    decoded = build.tensor("decoded", [n], dtype)
    build.operator("TFLM_DECODE", [encoded, ancillary], [decoded])
    build.operator("ABS", [decoded], [build.tensor("y", [n], dtype)])
    return build.ends([], [decoded]).to_bytes()


def handmade(text: str, root_bits: int = 3) -> tuple[bytes, list[int]]:
    """Stream and table for a text, the stream with enough zeros behind it."""
    codewords = {ord(letter): word for letter, word in CODEWORDS.items()}
    bits = "".join(CODEWORDS[letter] for letter in text) + "0" * 16
    bits = bits.ljust(-(-len(bits) // 32) * 32, "0")
    stream = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
    return stream, tables_of(codewords, root_bits)


@pytest.mark.parametrize("root_bits", [1, 3, 6, 9])
@pytest.mark.parametrize(("dtype", "wide"), [("int8", False), ("int8", True), ("int16", True)])
def test_decodes_as_the_interpreter_does(root_bits: int, dtype: str, wide: bool) -> None:
    text = "nmmacnanefdacopjomeckifookhbdbdmjjdmjgojfecpbiibmanbbjbnlgjafejp"
    stream, entries = handmade(text, root_bits)
    table = np.array(entries, "<u4" if wide else "<u2")
    if wide:  # the same fields, further apart
        table = (table & 0x8000) << 16 | (table & 0x7800) << 16 | (table & 0x07FF)
    model = model_of(stream, table, len(text), parameters=(root_bits - 1) << 4 | wide, dtype=dtype)
    assert run(model).tolist() == [ord(letter) for letter in text]
    unpacked = unpack_tflite(model)
    assert run(unpacked).tobytes() == run(model).tobytes()


def arrays() -> Iterator[tuple[str, npt.NDArray[np.int8]]]:
    rng = np.random.default_rng(0)
    for n in (1, 2, 31, 32, 33, 1000):
        yield f"constant of {n}", np.full(n, -7, np.int8)
    for n in (*range(2, 12), 4095, 4097):
        yield f"two values, {n}", (np.arange(n) % 2).astype(np.int8)
    for sparsity in (0, 0.5, 0.9, 0.99):
        yield f"pruned by {sparsity}", random_array(5000, sparsity)
    yield "all values alike", np.arange(-128, 128).astype(np.int8).repeat(16)
    yield "normal", rng.normal(0, 12, 20_000).clip(-128, 127).astype(np.int8)
    fibonacci = [1, 1]
    while len(fibonacci) < 26:
        fibonacci.append(sum(fibonacci[-2:]))
    yield "Fibonacci, the deepest tree", np.arange(26).astype(np.int8).repeat(fibonacci)


ARRAYS = dict(arrays())


@pytest.mark.parametrize("name", ARRAYS)
def test_encodes_for_the_interpreter(name: str) -> None:
    values = ARRAYS[name]
    payload = HUFFMAN.encode(values, None)
    ancillary = np.frombuffer(payload.ancillary, np.uint8)
    entries = ancillary[16:].view("<u2")
    root_bits = (ancillary[5] >> 4) + 1
    model = model_of(payload.encoded, entries, values.size, parameters=int(ancillary[5]))
    np.testing.assert_array_equal(run(model), values)
    np.testing.assert_array_equal(parse_tflite(model)[0].values, values)
    if values.size <= 5000:
        expected = values.view(np.uint8).tolist()
        decoded = decode_with_strings(
            payload.encoded, entries.tolist(), int(root_bits), values.size
        )
        assert [symbol & 255 for symbol in decoded] == expected
    assert HUFFMAN.encode(values, None) == payload


def test_the_stream_ends_with_the_last_word_that_is_looked_at() -> None:
    """One word less, and decoding fails: nothing is stored that is not read."""
    for values in ARRAYS.values():
        payload = HUFFMAN.encode(values, None)
        ancillary = np.frombuffer(payload.ancillary, np.uint8)
        assert len(payload.encoded) % 4 == 0
        for cut in (1, 4):
            model = model_of(
                payload.encoded[:-cut] or b"\0",
                ancillary[16:],
                values.size,
                parameters=int(ancillary[5]),
            )
            with pytest.raises(
                sp.ModelError, match=r"its \d+ bytes end before element \d+ is decoded"
            ):
                unpack_tflite(model)


# The code


def all_lengths(m: int, limit: int) -> Iterator[tuple[int, ...]]:
    """Every choice of lengths that leaves no codeword unused."""
    for lengths in itertools.product(range(1, limit + 1), repeat=m):
        if sum(1 << (limit - length) for length in lengths) == 1 << limit:
            yield lengths


@pytest.mark.parametrize("seed", range(6))
def test_limited_lengths_are_optimal(seed: int) -> None:
    rng = np.random.default_rng(seed)
    m = int(rng.integers(2, 7))
    weights = sorted(int(w) for w in rng.integers(0, 100, m) ** rng.integers(1, 4))
    limits = set()
    for lengths in limited_lengths(weights):
        limit = max(lengths)
        limits.add(limit)
        cost = sum(w * length for w, length in zip(weights, lengths, strict=True))
        assert cost == min(
            sum(w * length for w, length in zip(weights, other, strict=True))
            for other in all_lengths(m, limit)
        )
    assert min(limits) == (m - 1).bit_length()


def test_lengths_fill_the_tree_and_keep_the_limit() -> None:
    weights = [2**i for i in range(60)]
    lengths = list(limited_lengths(weights))
    assert [max(each) for each in lengths] == list(range(MAX_LENGTH, 5, -1))
    for each in lengths:
        assert sum(1 << (MAX_LENGTH - length) for length in each) == 1 << MAX_LENGTH


# The tables


def fewest_entries(lengths: list[int]) -> int:
    """By trying every width for every inner node of the canonical tree."""
    words, code = set(), 0
    for before, length in itertools.pairwise([0, *sorted(lengths)]):
        code <<= length - before
        words.add(f"{code:0{length}b}")
        code += 1

    def below(prefix: str, bits: int) -> int:
        total = 1 << bits
        for index in range(1 << bits):
            path = prefix + f"{index:0{bits}b}"
            if not any(path.startswith(word) for word in words):
                total += best(path)
        return total

    def best(prefix: str) -> int:
        return min(below(prefix, bits) for bits in range(1, max(lengths) - len(prefix) + 1))

    return best("")


@pytest.mark.parametrize("seed", range(8))
def test_tables_have_the_fewest_entries(seed: int) -> None:
    rng = np.random.default_rng(seed)
    m = int(rng.integers(2, 14))
    weights = sorted(int(w) for w in rng.integers(1, 40, m) ** 2)
    for lengths in limited_lengths(weights):
        if max(lengths) > 7:
            continue  # too many to try
        tree = Tree(lengths, weights, list(range(m)))
        assert tree.n_entries == fewest_entries(lengths)
        code = tree.code()
        assert len(code.entries) == tree.n_entries
        assert tree.n_lookups >= sum(weights)


def test_offsets_fit_their_field() -> None:
    """256 symbols need at most 510 entries, so 11 bits are enough for every distance."""
    rng = np.random.default_rng(0)
    for exponent in (0, 1, 4, 12):
        counts = 1 + (rng.random(256) ** exponent * 10_000).astype(np.int64)
        code = best_code(counts)
        assert len(code.entries) <= 510
        assert all(0 <= entry <= 0xFFFF for entry in code.entries)


# Hostile bytes

STREAM, ENTRIES = handmade("hijack" * 20)


def changed(index: int, entry: int) -> npt.NDArray[np.uint16]:
    table = np.array(ENTRIES, "<u2")
    table[index] = entry
    return table


@pytest.mark.parametrize(
    ("model", "match"),
    [
        (
            model_of(STREAM[:12], changed(0, ENTRIES[0]), 120, parameters=0x20),
            "encoded tensor w: its 12 bytes end before element 120 is decoded",
        ),
        (
            model_of(STREAM, np.array(ENTRIES[:-10], "<u2"), 120, parameters=0x20),
            f"a codeword points outside its tables, which have {len(ENTRIES) - 10} entries",
        ),
        (
            model_of(STREAM, changed(4, 0x07FF), 120, parameters=0x20),
            f"a codeword points outside its tables, which have {len(ENTRIES)} entries",
        ),
        (
            model_of(STREAM, changed(3, 0x7800), 120, parameters=0x20),  # 16 more bits, no offset
            f"a codeword points outside its tables, which have {len(ENTRIES)} entries",
        ),
        (
            model_of(STREAM, np.zeros(8, "<u2"), 120, parameters=0x20),
            "its [0-9]+ bytes end before element 120 is decoded|a codeword points outside",
        ),
        (
            model_of(STREAM, np.zeros(0, "<u2"), 120, parameters=0x20),
            "a codeword points outside its tables, which have 0 entries",
        ),
        (
            model_of(STREAM, changed(0, ENTRIES[0]), 120, parameters=0x20, dtype="int16"),
            "tflm_huffman decodes int16 only with entries of 4 bytes",
        ),
        (
            model_of(STREAM, changed(0, ENTRIES[0]), 120, parameters=0x21, dtype="int32"),
            "tflm_huffman does not decode elements of type int32",
        ),
        (
            # A symbol that takes no bits would go on for ever.
            model_of(STREAM, np.full(8, 0x8000, "<u2"), 2**28, parameters=0x20),
            "its tensors take at least .* when they are unpacked",
        ),
    ],
)
def test_refuses_to_decode(model: bytes, match: str) -> None:
    with pytest.raises(sp.ModelError, match=match):
        unpack_tflite(model)


def test_random_tables() -> None:
    """Any bytes are decoded or refused."""
    tensor = schema.TensorT(shape=[40], type=schema.TensorType.INT8)
    rng = np.random.default_rng(0)
    n_decoded = 0
    for _ in range(2000):
        table = rng.integers(0, 2**16, rng.integers(0, 40)).astype("<u2")
        table |= (rng.random(table.size) < 0.7).astype("<u2") << 15  # mostly symbols
        parameters = rng.choice([0x00, 0x10, 0x20, 0x01, 0x11, 0xF0])
        ancillary = bytes([1, 1, 0, 0, 1, parameters]).ljust(16, b"\0") + table.tobytes()
        contents = (rng.bytes(int(rng.integers(1, 80))), ancillary)
        try:
            values = HUFFMAN.decode(tensor, *(np.frombuffer(c, np.uint8) for c in contents))
        except UndecodableError:
            continue
        assert values.shape == (40,)
        n_decoded += 1
    assert 100 < n_decoded < 1900
