# SPDX-License-Identifier: Apache-2.0
"""Sweeps on Dask: a scheduler and two workers on loopback, one of which is killed."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sweep_work import square

pytest.importorskip("distributed", reason="needs stridepack[cluster]")

import stridepack
from stridepack.errors import MissingDependencyError, StridepackError
from stridepack.sweep import cluster, engines, grid, run

HERE = Path(__file__).parent
PATHS = os.pathsep.join([str(HERE), str(Path(stridepack.__file__).parents[1])])
QUIET = {
    "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "error",
    "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "none",
}
ENVIRONMENT = {**os.environ, **QUIET, "PYTHONPATH": PATHS}
PATIENCE = 120  # seconds


def until(done: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < end, f"{what} took too long"
        time.sleep(0.05)


@contextlib.contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen]:
    running = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield running
    finally:
        running.kill()
        running.wait()


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A scheduler, and two workers without nannies: a dead one stays dead."""
    file = tmp_path / "scheduler.json"
    scheduler = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    scheduler += ["--no-dashboard", "--scheduler-file", str(file)]
    worker = ["distributed.cli.dask_worker", "--scheduler-file", str(file), "--no-nanny"]
    worker += ["--nthreads", "1", "--no-dashboard", "--local-directory", str(tmp_path)]
    with process(*scheduler), process(*worker), process(*worker):
        until(lambda: file.exists() and file.read_text(), "the scheduler")
        found = json.loads(file.read_text())["address"]
        with cluster(found) as engine:
            engine._client.wait_for_workers(2, timeout=PATIENCE)
        yield found


def lines_of(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_worker_is_killed_and_nothing_is_lost(address: str, tmp_path: Path) -> None:
    results, folder = tmp_path / "a.jsonl", tmp_path / "calls"
    folder.mkdir()
    points = grid(number=range(12), seconds=[0.3], folder=[str(folder)])
    killed = []

    def kill(done: engines.Done) -> None:
        """The worker of a point that has begun and is not done, when four are."""
        lines = lines_of(results)
        if len(lines) < 4 or killed:
            return
        pid = int((folder / f"{done.point['number']}-0").read_text())
        finished = {line["point"]["number"] for line in lines}

        def others() -> list[tuple[int, int]]:
            begun = [(int(f.name.split("-")[0]), f.read_text()) for f in folder.iterdir()]
            return [(n, int(p)) for n, p in begun if n not in finished and p and int(p) != pid]

        until(others, "another worker")
        killed.append(others()[0])
        os.kill(killed[0][1], signal.SIGKILL)

    with cluster(address) as engine:
        summary = run(square, points, str(results), engine, on_done=kill)
        assert len(engine._client.scheduler_info()["workers"]) == 1
    assert (summary.finished, summary.failed) == (12, 0)
    lines = lines_of(results)
    assert {line["point"]["number"]: line["result"]["square"] for line in lines} == {
        n: n * n for n in range(12)
    }
    assert len(lines) == 12
    assert len(list(folder.glob(f"{killed[0][0]}-*"))) == 2  # begun twice
    assert len({line["worker"] for line in lines}) == 2
    with cluster(address) as engine:
        again = run(square, points, str(results), engine)
    assert (again.finished, again.skipped) == (0, 12)


def test_a_killed_sweep_goes_on(address: str, tmp_path: Path) -> None:
    results, folder = tmp_path / "a.jsonl", tmp_path / "calls"
    folder.mkdir()
    program = (
        "from sweep_work import square; from stridepack.sweep import cluster, grid, run\n"
        f"points = grid(number=range(8), seconds=[0.3], folder=[{str(folder)!r}])\n"
        f"with cluster({address!r}) as engine:\n"
        f"    run(square, points, {str(results)!r}, engine)"
    )
    with subprocess.Popen([sys.executable, "-c", program], env=ENVIRONMENT) as running:
        until(lambda: results.exists() and len(lines_of(results)) >= 3, "three points")
        running.kill()
    before = len(lines_of(results))
    assert before < 8
    points = grid(number=range(8), seconds=[0.3], folder=[str(folder)])
    with cluster(address) as engine:
        summary = run(square, points, str(results), engine)
    assert (summary.finished, summary.skipped) == (8 - before, before)
    assert sorted(line["point"]["number"] for line in lines_of(results)) == list(range(8))


def test_local_processes_live_again_and_a_point_that_kills_them_is_given_up(
    tmp_path: Path,
) -> None:
    results = tmp_path / "a.jsonl"
    program = (
        "from sweep_work import square; from stridepack.sweep import local_processes, run\n"
        "points = [{'number': n, 'dies': n == 1} for n in range(4)]\n"
        "if __name__ == '__main__':\n"
        "    with local_processes(2) as engine:\n"
        "        assert engine.dashboard.startswith('http://127.0.0.1')\n"
        f"        run(square, points, {str(results)!r}, engine)"
    )
    file = tmp_path / "program.py"
    file.write_text(program)
    subprocess.run([sys.executable, file], env=ENVIRONMENT, check=True, timeout=PATIENCE)
    by_number = {line["point"]["number"]: line for line in lines_of(results)}
    assert "KilledWorker" in by_number.pop(1)["error"]
    assert {n: line["result"]["square"] for n, line in by_number.items()} == {0: 0, 2: 4, 3: 9}


def test_errors_on_a_worker(address: str, tmp_path: Path) -> None:
    points = [
        {"number": 1, "folder": str(tmp_path), "fails": 1},
        {"number": 2, "folder": str(tmp_path), "fails": 9},
        {"number": 3, "folder": str(tmp_path), "refused": True},
    ]
    with cluster(address) as engine:
        summary = run(square, points, str(tmp_path / "a.jsonl"), engine, retries=1)
    first, second, third = summary.records
    assert first["result"] == {"square": 1}
    assert second["error"] == "ConnectionError: the network is down"
    assert third["error"] == "No plan takes so few bytes."
    assert [len(list(tmp_path.glob(f"{n}-*"))) for n in (1, 2, 3)] == [2, 2, 1]


def test_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_PATIENCE", 0.5)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(StridepackError, match="No Dask scheduler answers"), cluster(address):
        pass
    with pytest.raises(StridepackError, match="No Dask scheduler answers"), cluster("here"):
        pass


def test_jobs_of_slurm(tmp_path: Path) -> None:
    """A `sbatch` that starts the job at once."""
    if not engines_have_slurm():
        with pytest.raises(MissingDependencyError, match="dask-jobqueue"), engines.slurm(1):
            pass
        pytest.skip("dask-jobqueue is not installed")
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "sbatch").write_text(
        '#!/bin/sh\ncp "$1" "$JOBS/job.sh"\nsh "$JOBS/job.sh" > "$JOBS/log" 2>&1 &\n'
        'echo $! > "$JOBS/pid"\necho "Submitted batch job $!"\n'
    )
    (commands / "scancel").write_text('#!/bin/sh\necho "$@" >> "$JOBS/cancelled"\nkill "$1"\n')
    for command in commands.iterdir():
        command.chmod(0o755)
    results = tmp_path / "a.jsonl"
    program = (
        "import dask; from sweep_work import square\n"
        "from stridepack.sweep import grid, run, slurm\n"
        "settings = {'cores': 1, 'memory': '1GB', 'interface': 'lo', 'walltime': '00:10:00'}\n"
        "with dask.config.set({f'jobqueue.slurm.{k}': v for k, v in settings.items()}):\n"
        "    with slurm(1) as engine:\n"
        f"        run(square, grid(number=range(4)), {str(results)!r}, engine)"
    )
    path = f"{commands}{os.pathsep}{os.environ['PATH']}"
    environment = {**ENVIRONMENT, "PATH": path, "JOBS": str(tmp_path)}
    subprocess.run(
        [sys.executable, "-c", program], env=environment, check=True, timeout=PATIENCE, cwd=tmp_path
    )
    assert [line["result"]["square"] for line in lines_of(results)] != []
    assert sorted(line["point"]["number"] for line in lines_of(results)) == [0, 1, 2, 3]
    assert "#SBATCH" in (tmp_path / "job.sh").read_text()
    assert (tmp_path / "cancelled").exists()


def engines_have_slurm() -> bool:
    try:
        import dask_jobqueue  # noqa: F401
    except ImportError:
        return False
    return True


def test_an_object_store_with_the_protocol_of_s3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("s3fs", reason="s3fs is not installed")
    server = pytest.importorskip("moto.server", reason="moto[server] is not installed")
    import fsspec
    import numpy as np

    from stridepack.sweep import Here
    from stridepack.sweep.models import measure

    store = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    store.start()
    try:
        host, port = store.get_host_and_port()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        fsspec.config.conf.clear()
        s3 = fsspec.filesystem("s3", skip_instance_cache=True)
        s3.mkdir("bucket")
        np.save(tmp_path / "a.npy", np.arange(4000).astype(np.int8))
        s3.put_file(str(tmp_path / "a.npy"), "bucket/models/a.npy")
        points = grid(model=["s3://bucket/models/a.npy"], format=["dense", "auto"])
        points = [{**point, "keep": "s3://bucket/packed"} for point in points]
        results = "s3://bucket/results/sizes.jsonl"
        assert run(measure, points, results, Here()).finished == 2
        s3.invalidate_cache()
        lines = s3.cat_file("bucket/results/sizes.jsonl").splitlines()
        assert [json.loads(line)["point"]["format"] for line in lines] == ["dense", "auto"]
        for line in lines:
            result = json.loads(line)["result"]
            assert s3.info(result["file"])["size"] == result["nbytes"]
        assert run(measure, points, results, Here()).skipped == 2
        missing = [{"model": "s3://nowhere/a.npy"}]
        summary = run(measure, missing, results, Here(), retries=0)
        assert summary.records[0]["error"].startswith("s3://nowhere/a.npy: ")
    finally:
        store.stop()
