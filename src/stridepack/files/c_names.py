"""Names of C outputs: what can be included, and which header must not be replaced."""

import re
from pathlib import Path

from stridepack.errors import InputError, OutputError, reason

# How a header of ours is known by its first line
GENERATED = "packed by stridepack. Generated; do not edit."

# What a header of ours says in its first line, and the outputs that have such a one
_OWNERS = {
    rb"numbers of \d+ weight tensors packed": (".spk",),
    rb": \d+ weight tensors packed": (".c",),
    rb"A \.tflite model packed": (".cc", ".cpp", ".cxx"),
}

# Words of C++20 that no variable can be called
_KEYWORDS = """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t
    char32_t class compl concept const consteval constexpr constinit const_cast continue co_await
    co_return co_yield decltype default delete do double dynamic_cast else enum explicit export
    extern false float for friend goto if inline int long mutable namespace new noexcept not not_eq
    nullptr operator or or_eq private protected public register reinterpret_cast requires return
    short signed sizeof static static_assert static_cast struct switch template this thread_local
    throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t while
    xor xor_eq
    """
_NAME = re.compile(r"[A-Za-z_][0-9A-Za-z_]*")


def why_no_name(text: str) -> str:
    """Why a text cannot be the name of a variable in C++, as a sentence; empty where it can.

    >>> why_no_name("g_model"), why_no_name("while")
    ('', 'That word has a meaning of its own in C++.')
    """
    if not _NAME.fullmatch(text):
        return (
            "Such a name has letters of the English alphabet, digits and underscores, and does not "
            "start with a digit."
        )
    if text in _KEYWORDS.split():
        return "That word has a meaning of its own in C++."
    if text == "main":
        return "That is the name of the function in which a program starts."
    return ""


def check_c_output(output: Path) -> None:
    """Refuse a C output that no compiler could include, or whose header is somebody else's.

    Raises
    ------
    InputError, OutputError
    """
    if bad := [c for c in output.stem if not c.isprintable() or c in '"\\']:
        raise InputError(
            f"{str(output)!r}: the name has the character {bad[0]!r}, which an #include cannot "
            "have. Choose another name."
        )
    _check_header(output, output.with_suffix(".h"))


def _check_header(output: Path, header: Path) -> None:
    """Raise OutputError where a header is there that belongs to something else."""
    try:
        with header.open("rb") as file:
            start = file.read(4096)
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"{header} cannot be written: {reason(error)}.") from error
    if start and GENERATED.encode() not in start:
        owner = "stridepack has not written it"
    elif other := _other_output(output, start):
        owner = f"it belongs to {other}"
    else:
        return
    raise OutputError(
        f"{header} is there already, and {owner}. The output {output} needs a header beside it, "
        "which would replace it. Choose another name for the output."
    )


def _other_output(output: Path, header: bytes) -> Path | None:
    """The file beside an output, of another kind, that a header of ours was written for."""
    first = header.partition(b"\n")[0]
    suffixes = next((of for text, of in _OWNERS.items() if re.search(text, first)), ())
    others = (output.with_suffix(suffix) for suffix in suffixes if suffix != output.suffix)
    return next((other for other in others if other.is_file()), None)
