# SPDX-License-Identifier: Apache-2.0
"""What long runs add to bench/results/fuzz.json, and what docs/security.md makes of it."""

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
import documents
import long
import tested


def test_other_sources_start_the_count_again() -> None:
    first = long.add(None, "one", 10, 1000)
    second = long.add(first, "one", 5, 100)
    third = long.add(second, "two", 2, 30)
    names = "sources", "cpu_seconds", "inputs", "all_cpu_seconds", "all_inputs"
    assert [second[name] for name in names] == ["one", 15, 1100, 15, 1100]
    assert [third[name] for name in names] == ["two", 2, 30, 17, 1130]


def test_a_digest_follows_what_a_target_tests(tmp_path: Path) -> None:
    def digests(changed: str, text: str) -> dict[str, str]:
        path = tmp_path / changed
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return {target: tested.digest(target, tmp_path) for target in tested.TESTED}

    before = digests("core/encode.cpp", "one")
    assert digests("core/__pycache__/encode.pyc", "one") == before
    after = digests("core/encode.cpp", "two")
    changed = {target for target in before if before[target] != after[target]}
    decoders = {"fuzz_blob", "fuzz_bundle", "fuzz_reader"}
    assert changed == tested.TESTED.keys() - decoders
    assert digests("runtime/src/spk_rle.c", "one")["fuzz_blob"] != after["fuzz_blob"]


def test_the_folders_and_the_targets_are_there() -> None:
    folders = {folder for folders in tested.TESTED.values() for folder in folders}
    assert all(any((tested.ROOT / folder).iterdir()) for folder in folders)
    assert documents.FUZZED.keys() == tested.TESTED.keys()


def test_a_run_is_counted_with_the_sources_that_it_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = tmp_path / "runtime/src/spk_rle.c"
    changed.parent.mkdir(parents=True)
    changed.write_text("one")
    monkeypatch.setattr(tested, "digest", lambda target: changed.read_text())
    monkeypatch.setattr(long, "RESULTS", tmp_path / "fuzz.json")
    program = f"open({str(changed)!r}, 'w').write('two'); print('x: 1,234 tensors, ')"
    monkeypatch.setattr(sys, "argv", ["long.py", "fuzz_blob", sys.executable, "-c", program])
    long.main()
    long.main()
    run = json.loads((tmp_path / "fuzz.json").read_text())["fuzz_blob"]
    assert (run["sources"], run["inputs"], run["all_inputs"]) == ("two", 1234, 2468)


def test_runs_that_end_at_once_are_both_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*arguments: Any) -> Any:
        time.sleep(0.2)
        return add(*arguments)

    add = long.add
    monkeypatch.setattr(long, "add", slow)
    monkeypatch.setattr(long, "RESULTS", tmp_path / "fuzz.json")
    program = "print('x: 1,234 tensors, ')"
    monkeypatch.setattr(sys, "argv", ["long.py", "fuzz_blob", sys.executable, "-c", program])
    runs = [threading.Thread(target=long.main) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert json.loads((tmp_path / "fuzz.json").read_text())["fuzz_blob"]["inputs"] == 2468
