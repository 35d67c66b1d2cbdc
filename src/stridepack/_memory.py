# SPDX-License-Identifier: Apache-2.0
"""How much memory the weights of a file may take when they are unpacked.

A small file can describe tensors of gigabytes. What it may take is in proportion to its size,
unless the user allows more.
"""

from stridepack._words import counted
from stridepack.errors import InputError, ModelError

# A file may unpack to so many times its size, or to so many bytes, whatever is more. The bitmap of
# an int64 tensor without non-zeros takes 64 times less than the tensor.
TIMES = 64
ALWAYS = 2**26

_setting: dict[str, int | None] = {"max_memory": None}


def set_max_memory(nbytes: int | None) -> None:
    """Say how many bytes the weights of one file may take when they are unpacked.

    Parameters
    ----------
    nbytes : int or None
        For every file that is read from now on. None, the default: 64 times the size of the file,
        or 64 MiB, whatever is more.

    Raises
    ------
    InputError
        For anything but an integer of at least 0.
    """
    if nbytes is not None and (not isinstance(nbytes, int) or nbytes < 0):
        raise InputError(
            f"`max_memory={nbytes}` is not possible. It must be a number of bytes.",
            max_memory=nbytes,
        )
    _setting["max_memory"] = nbytes


class Allowance:
    """What is left for the weights of one file.

    Parameters
    ----------
    file : str
        Its name, for messages.
    nbytes : int
        Its size.
    """

    def __init__(self, file: str, nbytes: int) -> None:
        self._file = file
        self._nbytes = nbytes
        self._taken = 0

    def take(self, nbytes: int) -> None:
        """Count bytes that are about to be unpacked.

        Raises
        ------
        ModelError
            When they are too many.
        """
        self._taken += nbytes
        allowed = _setting["max_memory"]
        limit = max(TIMES * self._nbytes, ALWAYS) if allowed is None else allowed
        if self._taken > limit:
            why = (
                f"are possible for a file of {counted(self._nbytes, 'byte')}"
                if allowed is None
                else "are allowed"
            )
            raise ModelError(
                f"{self._file}: its tensors take at least {counted(self._taken, 'byte')} when they "
                f"are unpacked, but at most {counted(limit, 'byte')} {why}. The file may be "
                "damaged. If it is right, allow more with `max_memory=BYTES`.",
                max_memory="BYTES",
            )
