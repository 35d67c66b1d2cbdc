"""Bundles that a reader must refuse."""

from collections.abc import Iterator, Mapping

from broken import Broken
from layout import blob, bundle, join, patch, replace, seal_bundle, u32
from of_formats.rle import EXAMPLE as RLE_EXAMPLE

NAMES_BEGIN = 32 + 2 * 16


def broken_bundles(wire_ids: Mapping[str, int]) -> Iterator[Broken]:
    first = blob(wire_ids["dense"], 20, [bytes(20)])
    second = blob(wire_ids["rle"], 40, [join(RLE_EXAMPLE)])
    good = bundle([(b"a", first), (b"conv/w", second)])
    refused = {
        "truncated": _truncated(good),
        "magic": [("magic", "a blob's magic", b"SPKB" + good[4:])],
        "version": [("version", "version 2", seal_bundle(patch(good, version=2)))],
        "header": _header(good),
    }
    for status, vectors in refused.items():
        for name, why, data in vectors:
            yield Broken(f"bundle_{name}.spk", why, data, status)

    # A table that leads astray is found by whoever follows it.
    for name, why, data in _table(good):
        yield Broken(f"bundle_{name}.spk", why, data, "ok", "header", "header")
    # These read well, tensor by tensor, and are not what was written.
    for name, why, data, validated in _only_validated(good, len(good) - len(second)):
        yield Broken(f"bundle_{name}.spk", why, data, "ok", validated, "ok")

    data = seal_bundle(patch(good, blob_size=len(first) - 4))
    why = "the last 4 bytes of a blob are missing"
    yield Broken("bundle_blob_cut.spk", why, data, "ok", "truncated", "truncated")
    data = seal_bundle(patch(good, blob_offset=len(good) - len(first) - 16))
    why = "a blob offset that leads elsewhere"
    yield Broken("bundle_blob_elsewhere.spk", why, data, "ok", "magic", "magic")
    bad = blob(wire_ids["rle"], 40, [join({**RLE_EXAMPLE, "header": u32(64)})])
    data = bundle([(b"a", first), (b"b", bad)])
    why = "a blob with a broken stream"
    yield Broken("bundle_blob_broken.spk", why, data, "ok", "stream", "stream")


def _truncated(good: bytes) -> Iterator[tuple[str, str, bytes]]:
    yield "cut_within_magic", "3 bytes", good[:3]
    yield "cut_within_header", "31 bytes of a header of 32", good[:31]
    yield "cut_by_1", "the last byte is missing", good[:-1]
    yield "one_more", "one byte behind the end", good + b"\0"
    data = seal_bundle(patch(good, file_size=len(good) + 4))
    yield "file_size", "4 bytes fewer than said", data


def _header(good: bytes) -> Iterator[tuple[str, str, bytes]]:
    yield "table_outside", "a table beyond the end", patch(good, table_size=len(good) - 31)
    yield "table_endless", "a table of 2^32 - 1 bytes", patch(good, table_size=2**32 - 1)
    yield "tensors_3", "3 tensors in a table for 2", seal_bundle(patch(good, n_tensors=3))
    data = seal_bundle(patch(good, n_tensors=2**28))
    yield "tensors_endless", "2^28 tensors, whose entries are 2^32 bytes", data


def _table(good: bytes) -> Iterator[tuple[str, str, bytes]]:
    n = len(good)
    for name, why, fields in (
        ("name_outside", "a name behind the end", {"name_offset": n}),
        ("name_far_outside", "a name 4 GiB behind the end", {"name_offset": 2**32 - 1}),
        ("name_fills", "no room for a name's zero byte", {"name_size": n - NAMES_BEGIN}),
        ("name_endless", "a name of 2^32 - 1 bytes", {"name_size": 2**32 - 1}),
        ("name_unfinished", "no zero byte behind the name", {"name_size": 0}),
        ("name_with_zero", "a zero byte within the name", {"name_size": 3}),
        ("blob_outside", "a blob behind the end", {"blob_offset": n + 16}),
        ("blob_far_outside", "a blob 4 GiB behind the end", {"blob_offset": 2**32 - 16}),
        ("blob_too_long", "a blob that goes on behind the end", {"blob_size": n}),
    ):
        yield name, why, seal_bundle(patch(good, **fields))


def _only_validated(good: bytes, second_begin: int) -> Iterator[tuple[str, str, bytes, str]]:
    yield "checksum", "another CRC-32", patch(good, crc32=0), "checksum"
    yield "checksum_name", "a name changed", replace(good, NAMES_BEGIN, b"b"), "checksum"
    data = replace(good, len(good) - 1, b"\1")
    yield "checksum_blob", "a blob's own CRC-32 is wrong", data, "checksum"

    data = good[:second_begin] + bytes(4) + good[second_begin:]
    data = replace(patch(data, file_size=len(data)), NAMES_BEGIN - 8, u32(second_begin + 4))
    yield "blob_unaligned", "a blob off its multiple of 16", seal_bundle(data), "header"
    data = good[:second_begin] + bytes(16) + good[second_begin:]
    data = replace(patch(data, file_size=len(data)), NAMES_BEGIN - 8, u32(second_begin + 16))
    yield "blob_behind_a_hole", "16 bytes between two blobs", seal_bundle(data), "header"
    data = good[:second_begin]
    data = replace(patch(data, file_size=len(data)), NAMES_BEGIN - 8, data[40:48])
    yield "blob_twice", "two tensors share one blob", seal_bundle(data), "header"
    names_end = NAMES_BEGIN + len(b"a\0conv/w\0")
    data = replace(good, 32, u32(names_end) + u32(0))
    yield "name_outside_table", "an empty name behind the table", seal_bundle(data), "header"
    data = seal_bundle(patch(good + bytes(16), file_size=len(good) + 16))
    yield "goes_on", "16 bytes behind the last blob", data, "header"
    data = seal_bundle(patch(bundle([]) + bytes(16), file_size=48))
    yield "empty_goes_on", "no tensors, 16 bytes behind the header", data, "header"
