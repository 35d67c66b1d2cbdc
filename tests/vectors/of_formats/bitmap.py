# SPDX-License-Identifier: Apache-2.0
"""bitmap: its worked example, tiles that break a rule, and valid tiles that no encoder writes."""

from collections.abc import Iterator

from broken import Change, Vector
from example import ARRAY_VALUES, Unusual
from layout import join, u32

# Of docs/format.md, stream by stream.
EXAMPLE = {
    "header": b"\x08\0\0\0",
    "bitmap": bytes.fromhex("ae00400001"),
    "values_8": ARRAY_VALUES,
}

# The same with values of 5 bits.
NARROW = {
    "header": bytes.fromhex("05030103") + u32(7, 1),
    "bitmap": EXAMPLE["bitmap"],
    "values_4": bytes.fromhex("b00f4106"),
    "values_1": b"\x32",
    "patches": b"\x2f",
}

# The values come last and their end is known without them, so decoding need not look for it. Nor
# need it look at what comes after the last patch.
DECODES = {"goes_on", "unused_bit", "values_too_many", "patches_go_on", "patches_without_bits"}


def broken(change: Change) -> Iterator[Vector]:
    yield "values_cut", "4 values of 7", change(values_8=bytes(4))
    yield "values_too_many", "12 values where 7 belong", change(values_8=bytes(12))
    tile = join({"header": EXAMPLE["header"], "bitmap": b"\xff" * 8, "values": bytes(60)})
    yield "last_values_missing", "60 values of 64", tile, 64
    tile = join({"header": EXAMPLE["header"], "bitmap": b"\xf0", "values": bytes(4)})
    yield "unused_bit", "bit 3 of 3 elements", tile, 3
    for byte, name in enumerate(("p", "q", "patch")):
        fields = bytes(int(i == byte) for i in range(3))
        yield f"{name}_of_8_bits", "a field for fewer bits", change(header=b"\x08" + fields)

    def narrow(**streams: bytes) -> bytes:
        return join({**NARROW, **streams})

    def header(
        *, w: int = 5, p: int = 3, q: int = 1, patch: int = 3, n: int = 7, n_patches: int = 1
    ) -> bytes:
        return narrow(header=bytes((w, p, q, patch)) + u32(n, n_patches))

    def patched(patches: bytes) -> bytes:
        return narrow(header=NARROW["header"][:8] + u32(len(patches)), patches=patches)

    for w in (0, 9, 13, 255):
        yield f"width_{w}", f"{w} bits a value", header(w=w)
    yield "header_cut", "no number of values", NARROW["header"][:4]
    yield "positive_128", "positive values up to 128", header(p=113)
    yield "negative_129", "negative values up to -129", header(q=114)
    yield "negative_0", "negative values from 0 on", header(q=0)
    yield "flag_16", "an unknown flag", header(patch=3 + 16)
    yield "values_more_than_set", "8 values, 7 bits set", header(n=8)
    yield "values_fewer_than_set", "6 values, 7 bits set", header(n=6)
    yield "values_more_than_elements", "41 values of 40 elements", header(n=41)
    yield "values_endless", "2^32 - 1 values", header(n=2**32 - 1)
    yield "no_bitmap_7_of_40", "no bitmap, 7 values of 40", header(patch=3 + 8)
    for name, streams in _cut_narrow():
        yield f"narrow_{name}_missing", f"ends before {name}", join(streams)
    tile = narrow(header=bytes.fromhex("05030100") + u32(7))
    yield "patches_without_bits", "a patch of 0 bits", tile
    yield "patches_cut", "5 patches of which 4 are there", header(n_patches=5)
    yield "patches_endless", "2^32 - 1 patches", header(n_patches=2**32 - 1)
    yield "patch_outside", "a patch of value 7 of 7", patched(b"\x2f\x10")
    yield "patch_far_outside", "a patch of value 31 of 7", patched(b"\xf8")
    yield "patch_outside_later", "after 600 patches", patched(b"\1" * 600 + b"\x2f\x10")
    yield "patches_far_outside", "600 patches far outside", patched(b"\xf8" * 600)
    yield "patches_go_on", "4 bytes after the last patch", narrow(patches=b"\x2f" + bytes(7))
    yield "narrow_unused_bit", "bit 3 of 3 elements", _of_3(b"\xf0"), 3
    yield "narrow_unused_bit_only", "bit 3 of 3 elements, and 3 values", _of_3(b"\xd0"), 3


def _cut_narrow() -> Iterator[tuple[str, dict[str, bytes]]]:
    names = list(NARROW)
    for i, name in enumerate(names[1:4], 1):
        yield name, {key: NARROW[key] for key in names[:i]}


def _of_3(bitmap: bytes) -> bytes:
    """A tile of 3 elements, of 2 bits each: 1, 2 and -1."""
    return join({"header": b"\2\1\1\0" + u32(3), "bitmap": bitmap, "values_2": b"\x34"})


def unusual() -> Iterator[Unusual]:
    # A stored value may be zero.
    tile = join({"header": EXAMPLE["header"], "bitmap": b"\xe0", "values": b"\1\0\2"})
    yield "stored_zero", tile, b"\1\0\2"
    tile = join({"header": b"\2\0\1\0" + u32(3), "bitmap": b"\xe0", "values_2": b"\x34"})
    yield "narrow_zero", tile, b"\0\1\xff"
    yield "three_of_2_bits", _of_3(b"\xe0"), b"\1\2\xff"
    # Several patches of a value, one that adds 0, and sums modulo 256.
    head = b"\1\1\1\x0f" + u32(3, 5)
    tile = join({"header": head, "values_1": b"\2", "patches": b"\x7f\x8a\1\xff\x7f"})
    yield "patched_twice", tile, b"\x80\xf4\1"
    head = b"\1\0\1\x0e" + u32(2, 4)
    tile = join({"header": head, "values_1": b"\2", "patches": b"\x3f\x40\x3f\0"})
    yield "patched_by_0", tile, b"\x3f\xc0"
    head = b"\1\0\1\x0e" + u32(2, 1001)
    tile = join({"header": head, "values_1": b"\2", "patches": b"\1" * 1000 + b"\x41"})
    yield "patched_often", tile, b"\x80\xfe"
    yield "no_values", join({"header": b"\7\1\1\1" + u32(0, 0), "bitmap": b"\0"}), bytes(5)
