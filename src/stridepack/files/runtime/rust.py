# SPDX-License-Identifier: Apache-2.0
"""Rust: a no_std crate over the C sources, which its build.rs compiles."""

from stridepack.files.runtime.library import SUMMARY, Files, Library, runtime_dir

NEXT_STEP = (
    'Name the directory in Cargo.toml: `stridepack = { path = "..." }`. build.rs compiles the C '
    "sources with the compiler that `CC` names."
)

_README = """\
# stridepack

A crate without `std` that unpacks weights which `stridepack pack` has packed. `src/lib.rs` shows
how to use it, and `cargo doc` writes its pages. `build.rs` compiles the C sources in `c/`, and its
first comment says which variables choose the compiler and its flags. It needs Rust 1.85, and no
other crate. The licence is Apache-2.0 (`LICENSE`).

```toml
[dependencies]
stridepack = { path = "third_party/stridepack" }
```

Each format is a feature: `default-features = false, features = ["@format@"]` compiles one decoder.
"""

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
        "README.md": library.with_example(_README).encode(),
        "Cargo.toml": manifest.encode(),
        "formats.txt": library.for_each_format("{name}\n").encode(),
        **sources,
        **in_c,
    }
