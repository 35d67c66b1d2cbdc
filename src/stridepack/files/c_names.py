"""Names of C outputs: what can be included, and which header must not be replaced."""

from pathlib import Path

from stridepack.errors import InputError, OutputError, reason

# How a header of ours is known by its first line
GENERATED = "packed by stridepack. Generated; do not edit."


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
    check_header(output.with_suffix(".h"), f"The output {output} needs a header beside it")


def check_header(header: Path, why: str) -> None:
    """Raise OutputError where a header is there that stridepack has not written.

    Parameters
    ----------
    header : Path
    why : str
        Why it would be written, without a full stop.
    """
    try:
        with header.open("rb") as file:
            start = file.read(4096)
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"{header} cannot be written: {reason(error)}.") from error
    if start and GENERATED.encode() not in start:
        raise OutputError(
            f"{header} is there already, and stridepack has not written it. {why}, which would "
            "replace it. Choose another name for the output."
        )
