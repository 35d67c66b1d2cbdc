# SPDX-License-Identifier: Apache-2.0
"""Bundles (.spk) that are written blob by blob: the table, whose size is known, comes last."""

from collections.abc import Sequence

from stridepack.files.atomic import NewFile
from stridepack.files.spk import bundle_head, bundle_overhead, check_file_size, check_hashes


class BundleWriter:
    """Writes a bundle into a new file.

    Parameters
    ----------
    file : NewFile
    names_of : sequence of str
        The names of all tensors that will be added, in their order.
    names : bool
        Whether they are stored.

    Raises
    ------
    InputError
        As `write_bundle` does, and as soon as the file gets too large.
    """

    def __init__(self, file: NewFile, names_of: Sequence[str], *, names: bool = True) -> None:
        if not names:
            check_hashes(names_of)
        self._file = file
        self._names_of = names_of
        self._names = names
        self._ends = [bundle_overhead(names_of, names=names)]
        file.write(bytes(self._ends[0]))

    def add(self, blob: bytes) -> None:
        """Write the next blob."""
        check_file_size(self._ends[-1] + len(blob))
        self._file.write(blob)
        self._ends.append(self._ends[-1] + len(blob))

    def finish(self) -> int:
        """Fill in what stands before the blobs, and say how many bytes the file has."""
        self._file.write_start(bundle_head(self._names_of, self._ends, names=self._names))
        return self._ends[-1]
