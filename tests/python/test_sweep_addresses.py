# SPDX-License-Identifier: Apache-2.0
"""Addresses of a sweep: what is no scheduler, files of this machine, stores that cannot be written.

Each must be said in one sentence, in a limited time, and before a point has taken any time.
"""

import errno
import logging
import os
import socket
from pathlib import Path

import pytest
from sweep_work import square

pytest.importorskip("distributed", reason="needs stridepack[cluster]")

from stridepack.errors import OutputError, StridepackError
from stridepack.sweep import Here, cluster, engines, grid, remote, run


def test_something_that_listens_and_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the port of the dashboard, when Dask speaks to it."""
    monkeypatch.setattr(engines, "_PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        said = "does not answer as a scheduler within 0.5 seconds"
        with pytest.raises(StridepackError, match=said), cluster(address):
            pass


def test_a_worker_is_no_scheduler_and_a_cluster_without_workers_is_warned_of() -> None:
    from distributed import LocalCluster

    processes = LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=None
    )
    with processes:
        worker = processes.workers[0].address
        with pytest.raises(StridepackError, match="is the address of a Dask worker"):
            cluster(worker).__enter__()
        with cluster(processes.scheduler_address) as engine:
            assert [done.result for done in engine.all_done(square, [{"number": 3}], 0)] == [
                {"square": 9}
            ]
        processes.scale(0)
        processes.sync(processes.scheduler.remove_worker, worker, stimulus_id="test")
        said = f"has no workers yet.*`dask worker {processes.scheduler_address}`"
        with pytest.warns(UserWarning, match=said), cluster(processes.scheduler_address):
            pass
    assert not logging.getLogger("distributed.client").isEnabledFor(logging.ERROR)


def test_a_file_of_this_machine_may_have_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is appended to, and never replaced: nothing is lost when a sweep is killed."""
    file = tmp_path / "a.jsonl"
    points = grid(number=[1, 2])
    seen = []

    def look(_: object) -> None:
        seen.append(len(file.read_text().splitlines()))

    address = file.as_uri()
    assert run(square, points, address, Here(), on_done=look).finished == 2
    assert seen == [1, 2]
    assert run(square, points, str(file), Here()).skipped == 2
    monkeypatch.chdir(tmp_path)
    remote.write("file://folder/b", b"content")
    assert Path("folder/b").read_bytes() == remote.read("file://folder/b") == b"content"
    assert remote.exists("local://folder/b")
    assert os.listdir("folder") == ["b"]  # noqa: PTH208 (also names that begin with a dot)


def test_a_store_that_cannot_be_written_is_refused_before_the_first_point(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import fsspec

    memory = type(fsspec.filesystem("memory"))
    calls = []
    for error in (PermissionError(errno.EACCES, "Permission denied"), NotImplementedError()):

        def refuse(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        monkeypatch.setattr(memory, "pipe_file", refuse)
        said = "memory://results/b.jsonl cannot be written: "
        with pytest.raises(OutputError, match=said):
            run(calls.append, grid(number=[1]), "memory://results/b.jsonl", Here())
    assert not calls


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"file/folder/a\.spk cannot be written: Not a directory"):
        remote.write(str(tmp_path / "file/folder/a.spk"), b"")
