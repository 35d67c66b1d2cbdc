# SPDX-License-Identifier: Apache-2.0
"""The page of `report` in a real browser, without a window."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from commands import run

import stridepack as sp

selenium = pytest.importorskip("selenium.webdriver")
render = pytest.importorskip("stridepack.report.page.render")

MODEL = Path(__file__).resolve().parents[2] / "examples/resnet8_cifar10_50.tflite"

# A tensor whose name would do harm in a page that does not escape it.
HOSTILE = "</script><img src=x onerror=document.title='hit'>"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    run("pack", MODEL, "-o", folder / "packed.spk")
    budgets = folder / "budgets.toml"
    budgets.write_text('[budgets]\nflash = "60 kB"\ncycles = 4_000_000\n')
    path = folder / "report.html"
    run("report", MODEL, folder / "packed.spk", "-o", path, "--check", budgets)
    return path


def opened(browser: selenium.Chrome, path: Path) -> None:
    """Open a page, wait for its charts, and see that nothing was complained about."""
    browser.get(path.as_uri())
    browser.implicitly_wait(20)
    for chart in ("front", "sums", "bytes"):
        assert browser.find_elements("css selector", f"#{chart} svg")
    assert browser.get_log("browser") == []


def column(browser: selenium.Chrome, number: int) -> list[str]:
    """The values of a column, of the rows that are shown."""
    script = (
        "return [...document.querySelectorAll('#tensors tbody tr')].filter(row => !row.hidden)"
        ".map(row => row.cells[arguments[0]].dataset.value)"
    )
    return list(browser.execute_script(script, number))


def test_it_is_one_small_file(page: Path) -> None:
    text = page.read_text()
    assert len(text) < 3_000_000
    assert 'src="http' not in text
    assert 'href="http' not in text


def test_sorts_and_filters_with_the_keyboard(browser: selenium.Chrome, page: Path) -> None:
    opened(browser, page)
    names = column(browser, 0)
    assert len(names) == len(sp.read_tflite(MODEL))
    buttons = browser.find_elements("css selector", "#tensors thead button")
    buttons[6].send_keys("\n")
    sizes = [int(value) for value in column(browser, 6)]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) > 1
    buttons[6].send_keys("\n")
    assert [int(value) for value in column(browser, 6)] == sorted(sizes, reverse=True)
    browser.find_element("id", "search").send_keys("shortcut")
    assert sorted(column(browser, 0)) == sorted(name for name in names if "shortcut" in name)
    assert browser.find_element("id", "shown").text == f"2 of {len(names)} tensors"


def test_a_tensor_opens_with_its_charts(browser: selenium.Chrome, page: Path) -> None:
    opened(browser, page)
    link = browser.find_element("link text", "stacks.2.conv2.weight")
    link.send_keys("\n")
    details = browser.find_element("css selector", "details[open]")
    assert "stacks.2.conv2.weight" in details.find_element("tag name", "summary").text
    charts = details.find_elements("css selector", ".chart")
    assert len(charts) == 4
    for chart in charts:
        assert chart.find_elements("css selector", "svg")
    image = details.find_element("tag name", "img")
    assert browser.execute_script("return arguments[0].naturalWidth", image) == 128
    assert browser.get_log("browser") == []


def test_a_point_says_what_it_is(browser: selenium.Chrome, page: Path) -> None:
    opened(browser, page)
    points = browser.find_elements("css selector", "#front .mark-symbol.role-mark path")
    selenium.ActionChains(browser).move_to_element(points[-1]).perform()
    said = browser.find_element("css selector", "#vg-tooltip-element.visible").text
    for word in ("plan", "bytes", "cycles", "formats"):
        assert word in said
    texts = [text.text for text in browser.find_elements("css selector", "#front svg text")]
    assert "budget: flash 60,000" in texts
    assert "budget: cycles 4,000,000" in texts


def test_the_search_hides_the_charts_of_other_tensors(browser: selenium.Chrome, page: Path) -> None:
    opened(browser, page)
    browser.find_element("id", "search").send_keys("shortcut")
    browser.find_element("id", "open-all").send_keys("\n")
    details = browser.find_elements("css selector", "details[data-number]")
    shown = [one for one in details if one.is_displayed()]
    assert ["shortcut" in one.text.splitlines()[0] for one in shown] == [True, True]
    assert all(one.get_attribute("open") for one in shown)
    browser.find_element("id", "close-all").send_keys("\n")
    assert not any(one.get_attribute("open") for one in shown)


@pytest.mark.parametrize("width", [360, 1200])
def test_no_width_needs_scrolling_to_the_side(
    browser: selenium.Chrome, page: Path, width: int
) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        opened(browser, page)
        browser.find_element("id", "open-all").click()
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_in_print_nothing_is_cut(browser: selenium.Chrome, page: Path) -> None:
    size = {"width": 700, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        opened(browser, page)
        browser.execute_script("document.querySelector('details[data-number]').open = true")
        wide = "return [...document.querySelectorAll('table')].map(t => t.scrollWidth)"
        assert max(browser.execute_script(wide)) <= 700
        assert not browser.find_element("id", "search").is_displayed()
        shown = browser.find_elements("css selector", "details[data-number]")
        assert [one.is_displayed() for one in shown] == [True] + [False] * 9
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_names_are_text(browser: selenium.Chrome, tmp_path: Path) -> None:
    values = np.tile(np.array([0, 5, 0, -3], np.int8), 1000)
    np.savez(tmp_path / "a.npz", **{HOSTILE: values, "all zeros": np.zeros(3000, np.int8)})
    run("report", tmp_path / "a.npz", "-o", tmp_path / "a.html")
    opened(browser, tmp_path / "a.html")
    assert browser.title == "a.npz – stridepack report"
    assert HOSTILE in column(browser, 0)


def test_the_json_has_the_same_numbers(tmp_path: Path) -> None:
    run("pack", MODEL, "-o", tmp_path / "p.spk")
    numbers = json.loads(run("report", MODEL, tmp_path / "p.spk", "--json"))
    packed = sp.read_bundle(tmp_path / "p.spk")
    assert numbers["total"]["nbytes"] == sum(one.nbytes for one in packed.values())
    assert numbers["files"]["p.spk"] == (tmp_path / "p.spk").stat().st_size
    for row in numbers["tensors"]:
        assert (row["format"], row["stored_nbytes"]) == (
            packed[row["name"]].format,
            packed[row["name"]].nbytes,
        )
        assert sum(bar["count"] for bar in row["histogram"]) == row["n_elements"]
        shares = sum(one["n_non_zero"] for one in row["groups"])
        # A non-zero may lie in two groups, which then both store it.
        assert shares >= row["n_elements"] - row["n_zeros"]
    front = numbers["front"]
    assert front[0]["nbytes"] == numbers["total"]["nbytes"]  # `pack` takes the smallest plan
    assert all(a["nbytes"] < b["nbytes"] for a, b in pairwise(front))
    assert all(a["cycles"] > b["cycles"] for a, b in pairwise(front))


def test_check_says_what_is_exceeded(tmp_path: Path) -> None:
    budgets = tmp_path / "budgets.toml"
    budgets.write_text('[budgets]\nflash = "40 kB"\nsram = 36864\n')
    said = run("report", MODEL, "--check", budgets, code=1)
    assert "flash is" in said
    assert "more than 40,000" in said
    assert "sram" not in said
    budgets.write_text("[budgets]\nflash = 77360\n")
    assert "All budgets of" in run("report", MODEL, "--check", budgets)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("flash = 3\n", "needs a table [budgets]"),
        ("[budgets]\nflash = -1\n", "flash = -1 is not possible"),
        ("[budgets]\nspeed = 1\n", "'speed' cannot be limited"),
        ('[budgets]\nflash = "many"\n', "'many' is not a number of bytes"),
        ("[budgets\n", "cannot be read"),
    ],
)
def test_wrong_budgets(tmp_path: Path, content: str, message: str) -> None:
    budgets = tmp_path / "budgets.toml"
    budgets.write_text(content)
    said = run("report", MODEL, "--check", budgets, code=2)
    assert message in " ".join(said.split())


def test_wrong_outputs(tmp_path: Path) -> None:
    assert "ends in .html" in run("report", MODEL, "-o", tmp_path / "r.pdf", code=2)
    assert "Give -o" in run("report", MODEL, code=2)
    other = tmp_path / "other.spk"
    sp.write_bundle(other, {"x": sp.pack(np.zeros(9, np.int8))})
    said = run("report", MODEL, other, "--json", code=2)
    assert "packed from another model" in " ".join(said.split())


def test_a_page_that_would_be_large_draws_the_largest_tensors(
    browser: selenium.Chrome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = json.loads(run("report", MODEL, "--json"))
    most = len(render.render(numbers).encode()) - 15_000
    monkeypatch.setattr(render, "_MOST", most)
    path = tmp_path / "r.html"
    path.write_text(render.render(numbers))
    assert path.stat().st_size <= most
    opened(browser, path)
    drawn = browser.find_elements("css selector", "details[data-number] summary b")
    largest = sorted(numbers["tensors"], key=lambda row: -row["n_elements"])[: len(drawn)]
    assert {one.text for one in drawn} == {row["name"] for row in largest}
    assert 2 < len(drawn) < len(numbers["tensors"]) == len(column(browser, 0))
    text = browser.find_element("tag name", "body").text
    assert f"The {len(drawn)} largest tensors are shown" in text
    browser.find_element("id", "search").send_keys("classify")
    assert column(browser, 0) == ["classify.weight"]


def test_instructions_are_not_called_cycles() -> None:
    numbers = json.loads(run("report", MODEL, "--json"))
    assert numbers["unit"] == "cycles"
    page = render.render(numbers | {"unit": "instructions", "target": "core"})
    assert 'type="button">instructions</button>' in page
    assert '"title":"instructions on core"' in page
    assert " cycles" not in page[: page.index("<script>")]


def test_names_that_begin_and_end_alike_can_be_told_apart(
    browser: selenium.Chrome, tmp_path: Path
) -> None:
    values = np.tile(np.array([0, 5, 0, -3], np.int8), 1000)
    blocks = [f"network_3/block_{i}_depthwise/depthwise/ReadVariableOp" for i in (1, 12)]
    np.savez(tmp_path / "a.npz", **dict.fromkeys([*blocks, "network_3/dense"], values))
    run("report", tmp_path / "a.npz", "-o", tmp_path / "a.html")
    opened(browser, tmp_path / "a.html")
    texts = [text.text for text in browser.find_elements("css selector", "#bytes svg text")]
    for label in (
        "block_1_depthwise/dep…adVariableOp",
        "block_12_depthwise/de…adVariableOp",
        "dense",
    ):
        assert label in texts
    assert column(browser, 0) == [*blocks, "network_3/dense"]
