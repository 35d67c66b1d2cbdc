# SPDX-License-Identifier: Apache-2.0
"""A browser without a window, which all tests of the page share."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    selenium = pytest.importorskip("selenium.webdriver")
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (program and driver):
        pytest.skip("chromium and chromium-driver are not installed")
    options = selenium.ChromeOptions()
    options.binary_location = program
    flags = [
        "headless=new",
        "disable-gpu",
        "disable-dev-shm-usage",
        "no-first-run",
        "window-size=1200,1600",
    ]
    if os.geteuid() == 0:
        flags.append("no-sandbox")  # the browser refuses to run as root otherwise
    for flag in flags:
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with selenium.Chrome(options, selenium.ChromeService(driver)) as chrome:
        chrome.set_network_conditions(
            offline=True, latency=0, download_throughput=0, upload_throughput=0
        )
        yield chrome
