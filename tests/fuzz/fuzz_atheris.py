# SPDX-License-Identifier: Apache-2.0
"""Every command on .tflite files that atheris changes, so that more of the package is reached.

The same check as in fuzz_tflite.py. A file is changed by the mutator of mutant.py or by that of
libFuzzer, by turns. atheris is no part of the package: `make atheris` installs it from PyPI, which
has it for x86-64 only. It goes on from what earlier runs have found in build/tests/fuzz/corpus.

    python fuzz_atheris.py -max_total_time=3600 ../../build/tests/fuzz/corpus/fuzz_atheris
"""

import sys
import tempfile
import zlib
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["stridepack"], enable_loader_override=False):
    from base_models import bases
    from forked import measure_in_forks
    from fuzz_tflite import check
    from mutant import mutant

    import stridepack.cli.main  # noqa: F401 (the parts of it that the check does not import)

MOST_BYTES = 60_000


def main() -> None:
    """Options and folders as libFuzzer takes them. The first folder is filled with models."""
    folders = [Path(argument) for argument in sys.argv[1:] if not argument.startswith("-")]
    if folders and not any(Path(folders[0]).glob("*")):
        folders[0].mkdir(parents=True, exist_ok=True)
        for i, data in enumerate(bases(None)):
            (folders[0] / f"base-{i}").write_bytes(data)
    measure_in_forks()
    with tempfile.TemporaryDirectory() as folder:

        def run(data: bytes) -> None:
            if wrong := check(data, zlib.crc32(data), Path(folder)):
                raise RuntimeError(wrong)

        def change(data: bytes, most: int, seed: int) -> bytes:
            if seed % 2 and data[4:8] == b"TFL3" and len(data) > 16:
                return mutant([data], seed)[:most]
            return bytes(atheris.Mutate(data, most))

        options = ["-timeout=60", "-rss_limit_mb=3000", f"-max_len={MOST_BYTES}"]
        atheris.Setup([*sys.argv, *options], run, custom_mutator=change)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
