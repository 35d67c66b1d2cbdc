"""Rust: a no_std crate over the C sources, which its build.rs compiles."""

from stridepack.files.runtime.library import SUMMARY, Files, Library, runtime_dir

NEXT_STEP = (
    'Name the directory in Cargo.toml: `stridepack = { path = "..." }`. build.rs compiles the C '
    "sources with the compiler that `CC` names."
)

_MANIFEST = """\
# SPDX-License-Identifier: Apache-2.0
[package]
name = "stridepack"
version = "{version}"
edition = "2024"
rust-version = "1.85"
description = "{summary}"
license = "Apache-2.0"
categories = ["embedded", "no-std", "compression"]
links = "stridepack"

# The formats that are decoded
[features]
default = [{formats}]
{features}"""


def arrange(library: Library) -> Files:
    """Cargo.toml, build.rs and the Rust sources, and the C sources in c/."""
    folder = runtime_dir() / "rust"
    sources = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".rs", ".toml")
    }
    manifest = _MANIFEST.format(
        version=library.version,
        summary=SUMMARY,
        formats=", ".join(f'"{name}"' for name in library.formats),
        features=library.for_each_format("{format} = []\n"),
    )
    in_c = {f"c/{path}": content for path, content in library.files.items() if path != "LICENSE"}
    return {
        "LICENSE": library.files["LICENSE"],
        "Cargo.toml": manifest.encode(),
        "formats.txt": library.for_each_format("{name}\n").encode(),
        **sources,
        **in_c,
    }
