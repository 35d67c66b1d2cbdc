# SPDX-License-Identifier: Apache-2.0
"""Pack .safetensors files whose tensors stream through: few are in memory at any time."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from stridepack._threads import one_after_the_other
from stridepack.errors import StridepackError
from stridepack.files.atomic import NewFiles
from stridepack.files.blobs import check_blob_job
from stridepack.files.job import OnDone, PackJob, Stored
from stridepack.files.nameless import Outline, numbers_header
from stridepack.files.remarks import about_windows
from stridepack.files.safetensors import Contents, Entry
from stridepack.files.spk import bundle_overhead, check_file_size
from stridepack.files.spk_stream import BundleWriter
from stridepack.packed import Packed, dense_nbytes
from stridepack.plan.rules import why_dense
from stridepack.plan.smallest import choose_one
from stridepack.tensor import TensorCounts

# Tensors of so many bytes together are worked on at any time, or one that is larger. To pack a
# tensor takes up to three times its size.
_AT_ONCE = 2**24


@dataclass(frozen=True)
class Shard:
    """A file to pack, and the .spk that it becomes."""

    contents: Contents
    output: Path


def pack_shards(
    job: PackJob, shards: Sequence[Shard], new: NewFiles, on_done: OnDone | None
) -> tuple[list[Stored], dict[Path, int], list[str]]:
    """Write each shard as a .spk, and without names the header beside it.

    Returns how each tensor is stored, the size of each file, and remarks.
    """
    check_blob_job(job)
    candidates = job.options.candidates()
    for shard in shards:
        _check_size(job, shard.contents.entries)
    entries = [entry for shard in shards for entry in shard.contents.entries]
    limit = max(_AT_ONCE, *(entry.size for entry in entries))

    windows: list[tuple[int, int]] = []

    def work(entry: Entry) -> tuple[Stored, Packed]:
        choice = choose_one(entry.read(scales=False), candidates, job.options)
        tensor, packed = choice.tensor, choice.packed
        counts = TensorCounts(entry.name, entry.shape, tensor.n_non_zero, tensor.zero_point)
        windows.append((packed.n_tiles, packed.reader_window))
        return Stored(counts, packed.format, packed.nbytes, choice.note), packed

    stored: list[Stored] = []
    sizes: dict[Path, int] = {}
    with closing(
        one_after_the_other(work, entries, lambda entry: entry.size, limit, on_done)
    ) as results:
        for i, shard in enumerate(shards, 1):
            try:
                of_shard, files = _write(job, shard, new, results)
            except StridepackError as error:
                if len(shards) == 1:
                    raise
                raise type(error)(
                    f"{error} This happened in file {i} of {len(shards)}, "
                    f"{shard.contents.path.name}. Nothing was written, because all files take "
                    "their places together.",
                    **error.options,
                ) from error
            stored += of_shard
            sizes |= files
    return stored, sizes, about_windows(windows, len(shards))


def _write(
    job: PackJob, shard: Shard, new: NewFiles, results: Iterator[tuple[Stored, Packed]]
) -> tuple[list[Stored], dict[Path, int]]:
    """Write one shard, of whose tensors the results come next."""
    names = [entry.name for entry in shard.contents.entries]
    bundle = BundleWriter(new.add(shard.output), names, names=job.names)
    stored: list[Stored] = []
    outlines: dict[str, Outline] = {}
    for name in names:
        one, packed = next(results)
        bundle.add(packed.to_bytes())
        stored.append(one)
        if not job.names:
            outlines[name] = Outline(packed.shape, packed.n_elements, packed.tile_size)
        del packed  # before the next one is waited for
    sizes = {shard.output: bundle.finish()}
    if not job.names:
        header = numbers_header(shard.output.stem, outlines).encode()
        path = shard.output.with_suffix(".h")
        new.add(path).write(header)
        sizes[path] = len(header)
    return stored, sizes


def _check_size(job: PackJob, entries: Sequence[Entry]) -> None:
    """Refuse a file that would be too large, where the tensors that stay dense say so already."""
    of_blobs = sum(
        dense_nbytes(entry.shape, None if note else job.options.tile)
        for entry in entries
        if (note := why_dense(entry.size, job.options.min_size)) or job.options.format == "dense"
    )
    names = (entry.name for entry in entries)
    check_file_size(bundle_overhead(names, names=job.names) + of_blobs)
