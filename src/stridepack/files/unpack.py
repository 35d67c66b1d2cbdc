# SPDX-License-Identifier: Apache-2.0
"""Unpack a packed file: to a dense model, or to arrays."""

from os import PathLike
from pathlib import Path

from stridepack._words import listed
from stridepack.errors import InputError
from stridepack.files.atomic import new_files
from stridepack.files.kinds import is_index, kind_of
from stridepack.files.outputs import check_output, refuse_to_overwrite
from stridepack.files.read import check_is_file
from stridepack.files.table import check_has_name, suffixes, type_of


def unpack_file(packed: str | PathLike[str], output: str | PathLike[str]) -> int:
    """Unpack a packed .tflite to a dense .tflite, or a .spk or .tflite to .npz.

    The tensors of a .spk stream through: one is in memory at any time.

    Parameters
    ----------
    packed, output : str or PathLike

    Returns
    -------
    int
        Size of the output in bytes.

    Raises
    ------
    StridepackError
        One of its children; nothing was written.
    """
    packed, output = Path(packed), Path(output)
    refuse_to_overwrite(output, packed, "input")
    if output.is_dir():
        raise InputError(f"{output} is a directory. Give a file name.")
    check_has_name(output)
    if packed.is_dir() or is_index(packed):
        raise InputError(
            f"{packed} is a checkpoint in several files. Unpack its .spk files one by one."
        )
    possible = type_of(packed).unpack
    if not possible:
        raise InputError(
            f"{packed} cannot be unpacked. Only {suffixes(lambda t: t.unpack, 'and')} files can be."
        )
    check_is_file(packed)
    unpack = possible.get(kind_of(output))
    if unpack is None:
        raise InputError(
            f"{packed} cannot be unpacked to {output}. A {packed.suffix.lower()} file unpacks to "
            f"{listed(possible)}."
        )
    check_output(output)
    with new_files() as new:
        file = new.add(output)
        unpack(packed, file)
        return file.nbytes()
