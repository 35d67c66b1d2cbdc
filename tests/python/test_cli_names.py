# SPDX-License-Identifier: Apache-2.0
"""Names of files that say nothing, or twice the same; and what the help says of a default."""

from pathlib import Path

from commands import npz, run

__all__ = ["npz"]  # a fixture


def test_the_same_file_twice(npz: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.spk"
    run("pack", npz, "-o", npz.with_suffix(".spk"))
    link.symlink_to(npz.with_suffix(".spk"))
    for other in (npz.with_suffix(".spk"), link):
        said = run("verify", npz.with_suffix(".spk"), other)
        assert said.startswith("Both arguments are the same file, so nothing can differ. Give the ")
    assert "the same file" not in run("verify", npz, link)


def test_only_a_suffix(npz: Path, tmp_path: Path) -> None:
    run("pack", npz, "-o", tmp_path / "w.spk")
    said = run("unpack", tmp_path / "w.spk", "-o", tmp_path / ".npz", code=2)
    assert ".npz: this is a suffix without a name before it." in said
    assert "The name is empty." in run("verify", "", npz, code=2)


def test_what_the_default_of_objective_is() -> None:
    text = " ".join(run("pack", "--help").split())
    assert "default: size; for .tflite output the sum of file and tensor arena, or with" in text
