# SPDX-License-Identifier: Apache-2.0
"""Which sources each fuzz target tests, and their digest.

    python tests/fuzz/tested.py     # the digests of the sources as they are now

bench/results/fuzz.json says of what sources its counts are, and docs/security.md shows it.
"""

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DECODERS = ["runtime/include", "runtime/src"]
ENCODERS = [*DECODERS, "core"]
COMMANDS = [*ENCODERS, "bindings", "src/stridepack"]
TESTED = {
    "fuzz_blob": DECODERS,
    "fuzz_bundle": DECODERS,
    "fuzz_reader": DECODERS,
    "fuzz_huffman": ENCODERS,
    "fuzz_encode": ENCODERS,
    "fuzz_differential": COMMANDS,
    "fuzz_tflite": COMMANDS,
    "fuzz_atheris": COMMANDS,
}


def digest(target: str, root: Path = ROOT) -> str:
    """Of the names and the bytes of all files but those that a build or Python leaves there."""
    total = hashlib.sha256()
    for folder in TESTED[target]:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.suffix not in {".so", ".pyc"}:
                contents = hashlib.sha256(path.read_bytes()).hexdigest()
                total.update(f"{path.relative_to(root).as_posix()} {contents}\n".encode())
    return total.hexdigest()[:12]


if __name__ == "__main__":
    for target in TESTED:
        print(f"{target:18} {digest(target)}")
