# SPDX-License-Identifier: Apache-2.0
"""Is a packed file exactly its model? Tensor by tensor, and by running both."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike
from pathlib import Path

from stridepack.errors import InputError, ModelError
from stridepack.files.checkpoint import open_shards
from stridepack.files.differences import differences
from stridepack.files.kinds import holds_tflite, is_index, kind_of, tflite_bytes
from stridepack.files.outputs import is_same_file
from stridepack.files.safetensors import check_not_empty
from stridepack.files.table import suffixes, type_of
from stridepack.files.unread import UnreadFile, open_weights
from stridepack.tflite.comparison import Comparison
from stridepack.tflite.decode import is_decode
from stridepack.tflite.limits import limits
from stridepack.tflite.model import load_model
from stridepack.tflite.stand_in import why_no_stand_in, with_decode_operators

# Called after each piece of work: what is being done, and how many pieces it has.
OnProgress = Callable[[str, int], None]


@dataclass(frozen=True)
class Verification:
    """Result of `verify_files`.

    Attributes
    ----------
    n_tensors : int
        Tensors compared.
    differences : list of str
        One sentence for each tensor that is missing, additional or different.
    outputs : Comparison or None
        Of the interpreter runs, where both files are .tflite.
    not_run : str
        Why there were none, although both files are .tflite.
    stand_in : bool
        Whether DECODE operators took the place of operators of stridepack in these runs.
    failure : str
        What went wrong when the interpreter ran them.
    swapped : bool
        Whether the packed file was given first. It is the packed one here all the same.
    same_file : bool
        Whether both are one file, by whatever names. Then nothing can differ.
    """

    n_tensors: int
    differences: list[str]
    outputs: Comparison | None
    not_run: str = ""
    stand_in: bool = False
    failure: str = ""
    swapped: bool = False
    same_file: bool = False

    @property
    def ok(self) -> bool:
        """Whether nothing differs, and nothing went wrong."""
        equal = self.outputs is None or self.outputs.equal
        return not self.differences and equal and not self.failure


def verify_files(
    model: str | PathLike[str],
    packed: str | PathLike[str],
    *,
    n_inputs: int = 10,
    seed: int = 0,
    weights_only: bool = False,
    on_progress: OnProgress | None = None,
) -> Verification:
    """Compare every int8 weight of two files; run two .tflite files on the same random inputs.

    A .tflite that the stock interpreter does not run, whether it is packed or not, is not run. The
    interpreter does not have the operator of stridepack. When it runs such a file, DECODE
    operators of its own take the places of these operators (`stridepack.tflite.stand_in`).

    Tensors of .safetensors and .spk files are read one after the other. The index of a checkpoint
    in several .safetensors files is compared with the directory into which it was packed.

    Tensors are found by their names. A .spk without names has the CRC-32 of each name instead, and
    its tensors must be in the order of the model.

    Parameters
    ----------
    model : str or PathLike
        The original: any file that `read_weights` reads, or the index of a checkpoint.
    packed : str or PathLike
        A .spk, a .tflite with DECODE operators, or the directory of .spk files of a checkpoint.
    n_inputs, seed : int
        Random inputs for the interpreter, and the seed they are drawn with.
    weights_only : bool
        Run nothing.
    on_progress : callable, optional
        Called after each piece of work, with what is being done and how many pieces that has.
    """
    model, packed = Path(model), Path(packed)
    on_progress = on_progress or _ignore
    if is_index(packed) and not is_index(model):
        return replace(_verify_checkpoint(packed, model, on_progress), swapped=True)
    if is_index(model):
        return _verify_checkpoint(model, packed, on_progress)
    verify = partial(
        _verify, n_inputs=n_inputs, seed=seed, weights_only=weights_only, on_progress=on_progress
    )
    if is_same_file(model, packed):
        return replace(verify(model, packed), same_file=True)
    if _is_packed(model) and not _is_packed(packed) and type_of(packed).read:
        return replace(verify(packed, model), swapped=True)
    return verify(model, packed)


def _ignore(what: str, total: int) -> None:
    """Progress that nobody wants to see."""


def _is_packed(path: Path) -> bool:
    """Whether a file holds packed weights; not if it cannot be read, which is said later."""
    if not holds_tflite(path):
        return kind_of(path) == ".spk"
    try:
        model = load_model(tflite_bytes(path), str(path))
    except (OSError, ModelError):
        return False
    return any(is_decode(model, op) for graph in model.subgraphs for op in graph.operators)


def _verify_checkpoint(index: Path, folder: Path, on_progress: OnProgress) -> Verification:
    """Compare each .safetensors file of a checkpoint with the .spk that became of it."""
    if not folder.is_dir():
        raise InputError(
            f"{folder}: {index.name} is the index of a checkpoint in several files. Give the "
            "directory into which it was packed."
        )
    shards = [shard for shard in open_shards(index, folder) if shard.contents.entries]
    check_not_empty(index, [shard.contents for shard in shards])
    n, differing = sum(len(shard.contents.entries) for shard in shards), list[str]()
    for shard in shards:
        of_model = UnreadFile(shard.contents.entries, [])
        found = differences(
            of_model, open_weights(shard.output), lambda: on_progress("comparing", n)
        )
        differing += (f"{shard.output.name}: {difference}" for difference in found)
    return Verification(n, differing, None)


def _verify(
    model: Path,
    packed: Path,
    *,
    n_inputs: int,
    seed: int,
    weights_only: bool,
    on_progress: OnProgress,
) -> Verification:
    if not type_of(packed).unpack:
        raise InputError(
            f"{packed}: only {suffixes(lambda t: t.unpack, 'and')} files can be verified. The "
            "packed file is the second one."
        )
    of_model = open_weights(model)
    n = len(of_model.tensors)
    found = differences(of_model, open_weights(packed), lambda: on_progress("comparing", n))
    differing = list(found)
    both_run = holds_tflite(model) and holds_tflite(packed)
    if both_run and weights_only:
        return Verification(n, differing, None, "Only the weights were asked for.")
    if not both_run:
        return Verification(n, differing, None)
    names = (str(model), str(packed))
    contents = (tflite_bytes(model), tflite_bytes(packed))
    for file, data in zip(names, contents, strict=True):
        parsed = load_model(data, file)
        if why := [*limits(parsed), *why_no_stand_in(parsed)]:
            return Verification(n, differing, None, f"{file}: {' '.join(why)}")
    runnable = tuple(map(with_decode_operators, contents, names))
    stand_in = runnable != contents
    from stridepack.tflite.interpreter import compare_outputs  # it starts processes

    try:
        outputs = compare_outputs(
            *runnable,
            n_inputs=n_inputs,
            seed=seed,
            names=names,
            on_run=lambda: on_progress("running both models", 2 * n_inputs),
        )
    except ModelError as error:  # the weights were compared all the same
        return Verification(n, differing, None, failure=str(error))
    return Verification(n, differing, outputs, stand_in=stand_in)
