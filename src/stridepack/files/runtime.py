"""The C runtime out: the sources that a firmware project compiles."""

import contextlib
from pathlib import Path

from stridepack.errors import OutputError
from stridepack.files.atomic import write_files

# Installed beside the package; in an editable installation the repository's own folder.
_INSTALLED = Path(__file__).resolve().parent.parent / "_runtime"
_REPOSITORY = Path(__file__).resolve().parents[3] / "runtime"
# What lies in the folder itself: the licence, and how to build the sources.
_FILES = ("CMakeLists.txt", "LICENSE", "README.md")


def runtime_dir() -> Path:
    """Folder with include/, src/ and tflm/ of the C runtime, its licence and its build file."""
    return _INSTALLED if _INSTALLED.is_dir() else _REPOSITORY


def write_runtime(directory: Path, *, tflm: bool = False) -> list[Path]:
    """Write include/, src/, licence and build file to a directory, which is made if need be.

    Parameters
    ----------
    directory : Path
    tflm : bool
        Also tflm/: the C++ that registers the decoder with TensorFlow Lite Micro.

    Returns
    -------
    list of Path
        The files written.
    """
    source = runtime_dir()
    paths = [source / name for name in _FILES]
    for folder in ("include", "src", *(("tflm",) if tflm else ())):
        found = sorted((source / folder).rglob("*"))
        paths += [path for path in found if path.suffix in (".c", ".h", ".cc")]
    files = {directory / path.relative_to(source): path.read_bytes() for path in paths}
    _refuse_foreign(directory, files)
    made: list[Path] = []
    try:
        for parent in {path.parent for path in files}:
            made += _make(parent)
        write_files(files)
    except (OSError, OutputError) as error:
        for folder in sorted(made, reverse=True):  # the innermost first
            with contextlib.suppress(OSError):
                folder.rmdir()
        if isinstance(error, OutputError):
            raise
        raise OutputError(
            f"The directory {directory} cannot be made: {error.strerror}. Choose another name."
        ) from error
    return list(files)


def _make(directory: Path) -> list[Path]:
    """Make a directory and those above it. Returns the ones that were not there."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    return missing


def _refuse_foreign(directory: Path, files: dict[Path, bytes]) -> None:
    """Raise OutputError where files of others would be overwritten, such as a README.md."""
    try:
        if (directory / "include/spk.h").is_file():
            return  # an earlier version of the same
        for path, content in files.items():
            if path.is_file() and path.read_bytes() != content:
                raise OutputError(
                    f"{path} is there already, and it is not a file of stridepack. Choose another "
                    "directory."
                )
    except OSError as error:
        raise OutputError(f"{directory} cannot be used: {error.strerror}.") from error
