# SPDX-License-Identifier: Apache-2.0
"""What the decoders of a packed model take on a device."""

from stridepack._words import listed
from stridepack.cost import decoder_nbytes
from stridepack.files.runtime import Needs
from stridepack.formats import formats as all_formats


def needs_sentences(needs: Needs, target: str) -> list[str]:
    """Sentences: which decoders there are, with their code and their stack.

    Parameters
    ----------
    needs : Needs
        What a packed file needs. Of "transforms" there are no figures.
    target : str
        The core, as `stridepack.targets()` names it.
    """
    decoders = needs.decoders
    names = [name for name in all_formats() if name in decoders]
    if not names:
        return ["The packed file has no tensor, so no decoder was written."]
    sizes = [decoder_nbytes(name, target) for name in names]
    known = [size for size in sizes if size is not None]
    if len(known) < len(names):
        return [f"Decoders of {listed(names, 'and')}. What they take on {target} is not known."]
    code = sum(size[0] for size in known)
    stack = max(size[1] for size in known)
    transforms = "transforms" in decoders
    if needs.in_tflm:
        guide = "docs/tflm.md"
        undoes = " and undoes transforms" if transforms else ""
        on_top = f"The operator itself, and what opens blobs{undoes}, come on top"
    else:
        guide = "docs/firmware.md"
        on_top = "What opens and checks blobs comes on top"
        if transforms:
            on_top = "What undoes transforms, and what opens and checks blobs, come on top"
    return [
        f"Decoders of {listed(names, 'and')}: at most {code:,} bytes of code and tables, and "
        f"{stack:,} bytes of stack, on {target}. {on_top}; {guide} has sizes of whole "
        "programs."
    ]
