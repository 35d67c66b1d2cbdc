# SPDX-License-Identifier: Apache-2.0
"""What every format has to do, for every format there is."""

import contextlib
import inspect
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from arrays import SPARSITIES, Int8Array, random_array, special_arrays
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

import stridepack as sp
from stridepack import _core, _spec
from stridepack.cli.pack import pack as command
from stridepack.formats import Format, Option, all_options, base, get_format

SPECIAL = dict(special_arrays())

each_format = pytest.mark.parametrize("name", sp.formats())


def check(values: Int8Array, name: str, tile: int | None = None, **options: object) -> sp.Packed:
    """Pack, go through bytes, unpack whole and by tiles; everything must be as before."""
    packed = sp.Packed.from_bytes(sp.pack(values, name, tile=tile, **options).to_bytes())
    assert packed.format == name
    assert packed.shape == values.shape
    assert packed.n_non_zero == np.count_nonzero(values)
    assert sum(packed.streams.values()) == packed.payload_nbytes
    unpacked = packed.unpack()
    assert unpacked.dtype == np.int8
    np.testing.assert_array_equal(unpacked, values)
    tiles = [packed.unpack_tile(t) for t in range(packed.n_tiles)]
    np.testing.assert_array_equal(np.concatenate([np.empty(0, np.int8), *tiles]), values.ravel())
    return packed


@each_format
@pytest.mark.parametrize("tile", [None, 1, 16, 17, 256])
def test_every_length_and_sparsity(name: str, tile: int | None) -> None:
    for n in (*range(41), 255, 256, 257, 511, 512, 513):
        for sparsity in SPARSITIES:
            check(random_array(n, sparsity), name, tile)


@each_format
@pytest.mark.parametrize("case", SPECIAL)
def test_special(name: str, case: str) -> None:
    check(SPECIAL[case], name)
    check(SPECIAL[case], name, tile=1000)


@each_format
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (2, 3, 4), (1, 2, 1, 2, 1, 2, 1, 2)])
def test_shapes(name: str, shape: tuple[int, ...]) -> None:
    check(np.arange(int(np.prod(shape)), dtype=np.int8).reshape(shape), name)


@each_format
def test_order_and_stride_of_the_array_do_not_matter(name: str) -> None:
    values = random_array(600, 0.5).reshape(20, 30)
    for view in (values.T, values[::2, ::-3], np.asfortranarray(values)):
        np.testing.assert_array_equal(sp.pack(view, name).unpack(), view)


@each_format
@settings(max_examples=150, deadline=None)
@given(
    values=st_numpy.arrays(
        np.int8, st.integers(0, 700), elements=st.sampled_from([0, 0, 0, 1, -1, 127, -128])
    ),
    tile=st.none() | st.integers(1, 300),
)
def test_any_array(name: str, values: Int8Array, tile: int | None) -> None:
    check(values, name, tile)


@each_format
def test_the_input_is_not_changed_and_the_result_is_the_same_each_time(name: str) -> None:
    values = random_array(5000, 0.6)
    before = values.copy()
    assert sp.pack(values, name).to_bytes() == sp.pack(values, name).to_bytes()
    np.testing.assert_array_equal(values, before)


@each_format
def test_corrupted_blobs_are_errors_or_right(name: str) -> None:
    values = random_array(900, 0.6).reshape(30, 30)
    for tile in (None, 128):
        blob = sp.pack(values, name, tile=tile).to_bytes()
        rng = np.random.default_rng(7)
        for _ in range(300):
            damaged = bytearray(blob)
            for _ in range(rng.integers(1, 4)):
                damaged[rng.integers(len(damaged))] ^= 1 << rng.integers(8)
            with contextlib.suppress(sp.CorruptDataError):
                np.testing.assert_array_equal(sp.Packed.from_bytes(damaged).unpack(), values)


@each_format
def test_hostile_blobs_with_a_right_checksum_do_no_harm(name: str) -> None:
    """What the checksum does not catch, the decoder has to: see tests/fuzz for the long version."""
    values = random_array(700, 0.5)
    blob = sp.pack(values, name, tile=300).to_bytes()
    rng = np.random.default_rng(8)
    accepted = 0
    for _ in range(2000):
        damaged = bytearray(blob)
        for _ in range(rng.integers(1, 4)):
            damaged[rng.integers(12, len(damaged))] = rng.integers(256)
        crc = zlib.crc32(damaged[12:], zlib.crc32(damaged[:8]))
        damaged[8:12] = crc.to_bytes(4, "little")
        try:
            packed = sp.Packed.from_bytes(damaged)
        except sp.CorruptDataError:
            continue
        packed.unpack()  # what validates decodes
        accepted += 1
    assert accepted  # some damage only changes values


@each_format
def test_truncated_or_longer_blobs_are_errors(name: str) -> None:
    blob = sp.pack(random_array(200, 0.5), name).to_bytes()
    for end in range(len(blob)):
        with pytest.raises(sp.CorruptDataError):
            sp.Packed.from_bytes(blob[:end])
    with pytest.raises(sp.CorruptDataError):
        sp.Packed.from_bytes(blob + b"\0")


@each_format
def test_encoding_is_near_linear(name: str) -> None:
    """Bytes of work, not seconds: long empty stretches must not blow a blob up."""
    values = np.zeros(1_000_000, np.int8)
    values[[0, 500_000, 999_999]] = 1
    packed = check(values, name)
    bound = {"rle": 95_000, "bitmap": 126_000}
    bound |= dict.fromkeys(("psr", "dcsr", "hybrid", "rans", "huffman"), 4500)
    assert packed.payload_nbytes <= bound.get(name, 1_000_000)


LEVEL = Option("my_option", "integer", "a level.", "3")


@pytest.fixture
def _throw_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Formats that a test defines are there for that test only."""
    monkeypatch.setattr(base, "_registry", dict(base._registry))
    monkeypatch.setitem(_spec.FORMATS, "mine", 250)


def define(*declared: Option, **members: Any) -> Format:
    """A format called mine, with these options."""

    def streams(self: Format, tile: memoryview, n: int) -> Iterator[tuple[str, int]]:
        yield "values", n

    type("Mine", (Format,), {"name": "mine", "options": declared, "streams": streams, **members})
    return get_format("mine")


@pytest.mark.usefixtures("_throw_away")
def test_options_go_on_to_the_encoder() -> None:
    mine = define(
        LEVEL,
        Option("cuts", "integers", "where to cut.", "1-3", least=1, most=99),
        Option("style", "choice", "how to cut.", "plain", ("plain", "fancy")),
    )
    assert mine.encoder_options({}) == {}
    given: dict[str, Any] = {"my_option": np.uint8(7), "cuts": np.array([1, 99]), "style": "fancy"}
    converted = mine.encoder_options(given)
    assert converted == {"my_option": [7], "cuts": [1, 99], "style": [1]}
    assert mine.encoder_options({"my_option": 2**32 - 1}) == {"my_option": [2**32 - 1]}
    # The encoders in C++ take the map as it is; dense asks for none of it.
    encoded = _core.encode("dense", np.ones(4, np.int8), 4, converted)
    assert bytes(encoded) == bytes([1] * 4)
    assert all_options()["my_option"] == (LEVEL, ("mine",))


@pytest.mark.usefixtures("_throw_away")
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"my_option": -3},
            "`my_option=-3` is out of range. It must lie between 0 and 4,294,967,295.",
        ),
        (
            {"my_option": 2**32},
            "`my_option=4294967296` is out of range. It must lie between 0 and 4,294,967,295.",
        ),
        ({"my_option": 1.5}, "`my_option=1.5` is not possible. It must be an integer."),
        ({"my_option": True}, "`my_option=True` is not possible. It must be an integer."),
        (
            {"cuts": (4, 100)},
            "`cuts=(4, 100)` has a number that is out of range. Each must lie between 1 and 99.",
        ),
        ({"cuts": 4}, "`cuts=4` is not possible. It must be several integers."),
        ({"cuts": "123"}, "`cuts=123` is not possible. It must be several integers."),
        ({"style": "odd"}, "`style=odd` is unknown. Choose plain or fancy."),
    ],
)
def test_options_outside_their_limits(given: dict[str, Any], message: str) -> None:
    mine = define(
        LEVEL,
        Option("cuts", "integers", "where to cut.", "1-3", least=1, most=99),
        Option("style", "choice", "how to cut.", "plain", ("plain", "fancy")),
    )
    with pytest.raises(sp.InputError) as error:
        mine.encoder_options(given)
    assert str(error.value) == message
    assert error.value.options == given


@pytest.mark.usefixtures("_throw_away")
@pytest.mark.parametrize(
    ("option", "message"),
    [
        (Option("share", "number", "a share.", "0.5"), "'share' .* kind 'number'.*encoder_options"),
        (Option("tile", "integer", "a tile.", "1"), "'tile' .* `pack` uses for something else"),
        (Option("max_cycles", "integer", "cycles.", "1"), "'max_cycles' .* something else"),
        (Option("sizes", "integers", "others.", "1"), "'sizes' .* differs .* format 'hybrid'"),
    ],
)
def test_options_that_cannot_be_declared(option: Option, message: str) -> None:
    with pytest.raises(TypeError, match=f"^Option {message}"):
        define(option)
    assert "mine" not in sp.formats()


@pytest.mark.usefixtures("_throw_away")
def test_options_that_can_be_declared() -> None:
    """One that another format has, declared as it is there; any kind, where the format converts."""
    (sizes,) = (option for option in get_format("hybrid").options if option.name == "sizes")
    owners = all_options()["sizes"][1]
    define(sizes)
    assert all_options()["sizes"] == (sizes, (*owners, "mine"))
    share = Option("share", "number", "a share.", "0.5")
    mine = define(share, encoder_options=lambda self, options: {"percent": [50]})
    assert mine.encoder_options({"share": 0.5}) == {"percent": [50]}


def test_reserved_names_are_all_of_those_of_pack() -> None:
    """Every argument of what takes options of formats, and every option of the command line."""
    arguments = {
        name
        for function in (sp.pack, sp.plan, sp.plan_within, sp.pack_file, sp.Packed.encode)
        for name, p in inspect.signature(function).parameters.items()
        if p.kind is not p.VAR_KEYWORD
    }
    arguments |= {parameter.name for parameter in command.params if parameter.name}
    assert arguments - all_options().keys() <= base.RESERVED
