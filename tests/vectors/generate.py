# SPDX-License-Identifier: Apache-2.0
"""Write the vectors: what every encoder and decoder of the format has to agree on, as files.

    python tests/vectors/generate.py           # rewrite them
    python tests/vectors/generate.py --check   # exit 1 when one is stale, missing or left over

Needs stridepack itself, whose encoders write most of them. README.md says what is what.
"""

import argparse
import csv
import io
import sys
from pathlib import Path

from broken_bundles import broken_bundles
from broken_headers import broken_headers
from broken_streams import broken_streams
from cases import Case, cases, lengths
from example import ARRAY
from layout import blob, bundle, join
from of_formats import modules
from transforms import broken_transforms, transform_cases

import stridepack as sp
from stridepack.formats import get_format

HERE = Path(__file__).resolve().parent
SUFFIXES = (".blob", ".raw", ".spk", ".csv")


def valid_files() -> dict[str, bytes]:
    files: dict[str, bytes] = {}

    def add(name: str, data: bytes, raw: bytes) -> None:
        stem, _ = name.rsplit(".", 1)
        if name in files or f"{stem}.raw" in files:
            raise AssertionError(f"two vectors are called {stem}")
        files.update({name: data, f"{stem}.raw": raw})

    of_formats = modules()
    for fmt in sp.formats():
        if fmt not in of_formats:
            raise AssertionError(f"format {fmt!r}: of_formats/{fmt}.py is missing")
        options = get_format(fmt).option_names
        for case in cases():
            if options.issuperset(case.options):
                add(f"{fmt}_{case.name}.blob", encode(fmt, case), case.values.tobytes())
        tensors = [(case.name, encode(fmt, case), case.values.tobytes()) for case in lengths()]
        add(f"{fmt}_lengths.spk", *make_bundle(tensors))

    ids = wire_ids()
    for fmt, wire_id in ids.items():
        of_format = of_formats[fmt]
        tile = join(of_format.EXAMPLE)
        data = blob(wire_id, ARRAY.size, [tile])
        if data != sp.Packed.encode(ARRAY, fmt).to_bytes():
            raise AssertionError(f"of_formats/{fmt}.py: its example differs from the encoder's")
        add(f"{fmt}_example.blob", data, ARRAY.tobytes())
        unusual = getattr(of_format, "unusual", tuple)
        for name, tile, raw in unusual():
            add(f"{fmt}_unusual_{name}.blob", blob(wire_id, len(raw), [tile]), raw)

    tensors = []
    for case in transform_cases():
        for fmt in case.formats:
            packed = sp.Packed.encode(case.values, fmt, case.tile, transforms=case.transforms)
            name, data, raw = f"{case.name}_{fmt}", packed.to_bytes(), case.values.tobytes()
            if case.in_bundle:
                tensors.append((name, data, raw))
            else:
                add(f"transforms_{name}.blob", data, raw)
    add("transforms_in_bundle.spk", *make_bundle(tensors))

    add("bundle_empty.spk", *make_bundle([]))
    add("bundle_empty_without_names.spk", *make_bundle([], names=False))
    some = list(cases())[3:7]
    names = iter(["", "a", "model/conv1/weights;dépthwise", "x" * 300, *map(str, range(99))])
    tensors = [
        (next(names), encode(fmt, case), case.values.tobytes())
        for case in some
        for fmt in sp.formats()
    ]
    add("bundle_mixed.spk", *make_bundle(tensors))
    add("bundle_without_names.spk", *make_bundle(tensors, names=False))
    return files


def invalid_files() -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    index = io.StringIO()
    rows = csv.writer(index, lineterminator="\n")
    rows.writerow(("file", "open", "validate", "decode", "why"))
    ids = wire_ids()
    vectors = [
        *broken_headers([*ids.values()]),
        *broken_streams(ids, modules()),
        *broken_bundles(ids),
        *broken_transforms(),
    ]
    for v in sorted(vectors, key=lambda v: v.file):
        if v.file in files:
            raise AssertionError(f"two vectors are called {v.file}")
        files[v.file] = v.data
        rows.writerow((v.file, v.opened, v.validated, v.decoded, v.why))
    return files | {"index.csv": index.getvalue().encode()}


def wire_ids() -> dict[str, int]:
    return {fmt: get_format(fmt).wire_id for fmt in sp.formats()}


def encode(fmt: str, case: Case) -> bytes:
    return sp.Packed.encode(case.values, fmt, case.tile, **case.options).to_bytes()


def make_bundle(
    tensors: list[tuple[str, bytes, bytes]], *, names: bool = True
) -> tuple[bytes, bytes]:
    """A bundle of (name, blob, raw), and its .raw: each name, a zero byte, the elements."""
    data = bundle([(name.encode(), packed) for name, packed, _ in tensors], names=names)
    return data, b"".join(name.encode() + b"\0" + raw for name, _, raw in tensors)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only report stale files")
    check = parser.parse_args().check

    files = {HERE / "valid" / name: data for name, data in valid_files().items()}
    files |= {HERE / "invalid" / name: data for name, data in invalid_files().items()}
    on_disk = {
        path
        for folder in ("valid", "invalid")
        for path in (HERE / folder).glob("*")
        if path.suffix in SUFFIXES
    }
    stale = [p for p, data in files.items() if p not in on_disk or p.read_bytes() != data]
    left_over = sorted(on_disk - files.keys())

    for path in [*stale, *left_over]:
        what = "stale" if path in files else "left over"
        print(f"tests/vectors/{path.relative_to(HERE)} is {what}", file=sys.stderr)
    if check:
        return 1 if stale or left_over else 0
    for path in left_over:
        path.unlink()
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(files[path])
    print(f"{len(files)} files, {sum(map(len, files.values()))} bytes, {len(stale)} of them new")
    return 0


if __name__ == "__main__":
    sys.exit(main())
