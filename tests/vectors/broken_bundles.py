# SPDX-License-Identifier: Apache-2.0
"""Bundles that a reader must refuse."""

import zlib
from collections.abc import Iterator, Mapping

from broken import Broken
from layout import blob, bundle, join, patch, replace, seal_bundle, u32
from of_formats.rle import EXAMPLE as RLE_EXAMPLE

NAMES_BEGIN = 24 + 2 * 8
SECOND_OFFSET = 24 + 8  # where the table says where the second blob lies


def broken_bundles(wire_ids: Mapping[str, int]) -> Iterator[Broken]:
    first = blob(wire_ids["dense"], 20, [bytes(20)])
    second = blob(wire_ids["rle"], 40, [join(RLE_EXAMPLE)])
    tensors = [(b"a", first), (b"conv/w", second)]
    good, nameless = bundle(tensors), bundle(tensors, names=False)
    refused = {
        "truncated": _truncated(good),
        "magic": [("magic", "a blob's magic", first[:4] + good[4:])],
        "version": [("version", "version 2", seal_bundle(patch(good, version=2)))],
        "header": _header(good, nameless),
    }
    for status, vectors in refused.items():
        for name, why, data in vectors:
            yield Broken(f"bundle_{name}.spk", why, data, status)

    # A table or names that lead astray are found by whoever follows them.
    for name, why, data in _table(good):
        yield Broken(f"bundle_{name}.spk", why, data, "ok", "header", "header")
    # These read well, tensor by tensor, and are not what was written.
    for name, why, data, validated in _only_validated(good, nameless, len(good) - len(second)):
        yield Broken(f"bundle_{name}.spk", why, data, "ok", validated, "ok")

    second_begin = len(good) - len(second)
    for name, why, to in (
        ("blob_cut", "a blob whose last 4 bytes belong to the next one", second_begin - 4),
        ("blob_too_long", "4 bytes between a blob and the next one", second_begin + 4),
    ):
        data = seal_bundle(replace(good, SECOND_OFFSET, u32(to)))
        yield Broken(f"bundle_{name}.spk", why, data, "ok", "truncated", "truncated")
    hole = replace(good[:second_begin] + bytes(4) + good[second_begin:], 12, u32(len(good) + 4))
    data = seal_bundle(replace(hole, SECOND_OFFSET, u32(second_begin + 4)))
    why = "4 bytes between two blobs"
    yield Broken("bundle_blob_after_a_hole.spk", why, data, "ok", "truncated", "truncated")
    data = seal_bundle(patch(good + bytes(16), file_size=len(good) + 16))
    why = "16 bytes behind the last blob"
    yield Broken("bundle_goes_on.spk", why, data, "ok", "truncated", "truncated")
    data = seal_bundle(replace(good, SECOND_OFFSET, good[24:28]))
    why = "two tensors share one blob"
    yield Broken("bundle_blob_twice.spk", why, data, "ok", "truncated", "truncated")
    bad = blob(wire_ids["rle"], 40, [join({**RLE_EXAMPLE, "header": u32(64)})])
    data = bundle([(b"a", first), (b"b", bad)])
    why = "a blob with a broken stream"
    yield Broken("bundle_blob_broken.spk", why, data, "ok", "stream", "stream")


def _truncated(good: bytes) -> Iterator[tuple[str, str, bytes]]:
    yield "cut_within_magic", "3 bytes", good[:3]
    yield "cut_within_header", "23 bytes of a header of 24", good[:23]
    yield "cut_by_1", "the last byte is missing", good[:-1]
    yield "one_more", "one byte behind the end", good + b"\0"
    data = seal_bundle(patch(good, file_size=len(good) + 4))
    yield "file_size", "4 bytes fewer than said", data


def _header(good: bytes, nameless: bytes) -> Iterator[tuple[str, str, bytes]]:
    for flags in (2, 128):
        yield f"flags_{flags}", f"flags {flags}", seal_bundle(patch(good, flags=flags))
    why = "names that are said not to be stored"
    yield "names_not_stored", why, seal_bundle(patch(good, flags=0))
    size = len(good) - NAMES_BEGIN + 1
    yield "names_outside", "names beyond the end", patch(good, names_size=size)
    yield "names_endless", "names of 2^32 - 1 bytes", patch(good, names_size=2**32 - 1)
    tensors = (len(nameless) - 24) // 8 + 1
    yield "tensors_too_many", "a table beyond the end", patch(nameless, n_tensors=tensors)
    data = patch(good, n_tensors=2**29)
    yield "tensors_endless", "2^29 tensors, whose entries are 2^32 bytes", data


def _table(good: bytes) -> Iterator[tuple[str, str, bytes]]:
    n = len(good)
    for name, why, offset in (
        ("blob_outside", "a blob behind the end", n + 16),
        ("blob_far_outside", "a blob 4 GiB behind the end", 2**32 - 16),
        ("blob_after_the_next", "a blob that begins after the next one", n - 16),
    ):
        yield name, why, seal_bundle(patch(good, blob_offset=offset))
    why = "a second blob behind the end"
    yield "blob_2_outside", why, seal_bundle(replace(good, SECOND_OFFSET, u32(n + 4)))
    for name, why, size in (
        ("names_none", "no names, where two are stored", 0),
        ("name_missing", "one name for two tensors", 2),
        ("name_unfinished", "no zero byte behind the last name", 8),
    ):
        yield name, why, seal_bundle(patch(good, names_size=size))


def _only_validated(
    good: bytes, nameless: bytes, second_begin: int
) -> Iterator[tuple[str, str, bytes, str]]:
    yield "checksum", "another CRC-32", patch(good, crc32=0), "checksum"
    yield "checksum_name", "a name changed", replace(good, NAMES_BEGIN, b"b"), "checksum"
    yield "checksum_hash", "a hash changed", patch(nameless, hash=1), "checksum"
    padding = NAMES_BEGIN + len(b"a\0conv/w\0")
    yield "checksum_padding", "a byte behind the names", replace(good, padding, b"\1"), "checksum"
    data = replace(good, len(good) - 1, b"\1")
    yield "checksum_blob", "a blob's own CRC-32 is wrong", data, "checksum"

    data = seal_bundle(patch(good, hash=zlib.crc32(b"b")))
    yield "hash", "the CRC-32 of another name", data, "header"
    data = seal_bundle(replace(good, NAMES_BEGIN, b"b"))
    yield "name", "a name of another CRC-32", data, "header"
    # The zero bytes behind the names are taken for one more name.
    data = seal_bundle(patch(good, names_size=len(b"a\0conv/w\0") + 1))
    yield "name_too_many", "three names for two tensors", data, "header"
    data = good[: second_begin - 36] + bytes(4) + good[second_begin - 36 :]
    data = replace(patch(data, file_size=len(data)), SECOND_OFFSET, u32(second_begin + 4))
    data = seal_bundle(patch(data, blob_offset=second_begin - 32))
    yield "blobs_after_a_hole", "4 bytes between names and blobs", data, "header"
    data = seal_bundle(patch(bundle([]) + bytes(16), file_size=40))
    yield "empty_goes_on", "no tensors, 16 bytes behind the header", data, "header"
