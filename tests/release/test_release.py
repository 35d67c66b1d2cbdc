# SPDX-License-Identifier: Apache-2.0
"""What a release checks of itself, and that it notices what is wrong. `make wheel` builds one."""

import importlib.metadata
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from scripts import release

ROOT = release.ROOT
META = f"stridepack-{release.VERSION}.dist-info"


@pytest.fixture
def wheel() -> list[str]:
    """The names in a wheel as it should be."""
    package = [path for path in (ROOT / "src").rglob("*") if path.is_file()]
    names = [
        str(path.relative_to(ROOT / "src"))
        for path in package
        if path.suffix not in (".so", ".pyc")
    ]
    runtime = [path for path in (ROOT / "runtime").rglob("*") if path.is_file()]
    names += [f"stridepack/_runtime/{path.relative_to(ROOT / 'runtime')}" for path in runtime]
    return [*names, "stridepack/_core.abi3.so", f"{META}/METADATA", f"{META}/licenses/LICENSE"]


def test_all_versions_are_one(tmp_path: Path) -> None:
    assert list(release.wrong_versions()) == []
    for name in ("CHANGELOG.md", "CITATION.cff", "runtime/include/spk_spec.h"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / name).read_text()
        (tmp_path / name).write_text(text.replace(release.VERSION, "9.8.7"))
    assert len(list(release.wrong_versions(tmp_path))) == 3


def test_one_wheel_serves_all_later_versions() -> None:
    end = "manylinux_2_28_x86_64.whl"
    stable, own = (
        f"stridepack-{release.VERSION}-{tag}-{end}" for tag in ("cp312-abi3", "cp311-cp311")
    )
    assert list(release.wrong_name(stable, (3, 14))) == []
    assert list(release.wrong_name(own, (3, 11))) == []
    assert list(release.wrong_name(stable, (3, 11)))
    assert list(release.wrong_name(own.replace("311", "313"), (3, 13)))


def test_a_wheel_as_it_should_be(wheel: list[str]) -> None:
    assert list(release.wrong_in_wheel(wheel)) == []
    for name in (
        "stridepack/py.typed",
        "stridepack/_core.pyi",
        "stridepack/report/page/page.html",
        "stridepack/_runtime/include/spk.h",
        "stridepack/_runtime/tflm/spk_tflm.cc",
        "stridepack/_core.abi3.so",
        f"{META}/licenses/LICENSE",
    ):
        left = [other for other in wheel if other != name]
        assert len(left) == len(wheel) - 1, name
        assert list(release.wrong_in_wheel(left)), name


@pytest.mark.parametrize(
    "name",
    [
        "tests/python/test_cli.py",
        "stridepack/_core.cpython-311-x86_64-linux-gnu.so",
        "stridepack/__pycache__/errors.cpython-311.pyc",
        "stridepack/notes.txt",
        "scripts/release.py",
    ],
)
def test_what_does_not_belong_into_a_wheel(wheel: list[str], name: str) -> None:
    assert list(release.wrong_in_wheel([*wheel, name]))


def test_a_source_package() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, text=True, capture_output=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no git repository")
    names = [f"stridepack-{release.VERSION}/{name}" for name in listed.stdout.splitlines()]
    assert list(release.wrong_in_sdist(names)) == []
    without = [name for name in names if not name.endswith("/Makefile") or name.count("/") > 1]
    assert list(release.wrong_in_sdist(without)) == ["Makefile is missing."]
    wrong = [*names, f"{names[0]}.so", "other/file"]
    assert len(list(release.wrong_in_sdist(wrong))) == 2


def test_what_git_ignores_is_in_no_package() -> None:
    """scikit-build-core leaves out what .gitignore names: a compiled file in src/, for example."""
    assert {"*.so", "*.pyd", "__pycache__/"} <= set((ROOT / ".gitignore").read_text().split())


def test_the_description_on_pypi_has_no_link_that_leads_nowhere() -> None:
    """PyPI shows the description alone. This one was built when the package was installed."""
    readme = (ROOT / "README.md").read_text()
    assert any("docs/firmware.md" in said for said in release.relative_links(readme))
    assert list(release.relative_links('[a](https://example.org/) <a href="#b">b</a>')) == [
        "The description has a link to #b, which leads nowhere on PyPI."
    ]
    description = importlib.metadata.metadata("stridepack")["Description"]
    assert "## Where to go next" in description
    assert list(release.relative_links(description)) == []


def test_the_workflow_and_the_wheels_agree() -> None:
    workflow = yaml.safe_load((ROOT / ".ci/release.yml").read_text())
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert {"make wheel"} == {step["run"] for step in steps if "run" in step}
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheels = settings["tool"]["cibuildwheel"]
    command = wheels["test-command"].replace("{project}", str(ROOT)).split()
    assert Path(command[1]).is_file()
    versions = {f"cp3{minor}-*" for minor in (11, 12, 13, 14)}
    assert set(wheels["build"]) == versions
    for version in versions:
        minor = version.removeprefix("cp3").removesuffix("-*")
        name = f"Programming Language :: Python :: 3.{minor}"
        assert name in settings["project"]["classifiers"]


def test_an_installed_package_works() -> None:
    """In this environment; `make wheel` and cibuildwheel run the same in an empty one."""
    script = ROOT / "scripts/use_installed.py"
    result = subprocess.run(
        [sys.executable, script, ROOT / release.MODEL], text=True, capture_output=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert " works, with Python " in result.stdout
