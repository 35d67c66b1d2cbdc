# SPDX-License-Identifier: Apache-2.0
"""Work of sweeps for tests. Workers in other processes import it."""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stridepack.errors import BudgetError


def square(point: Mapping[str, Any]) -> dict[str, Any]:
    """The square of a number, and a file in "folder" for each call, with the process's number.

    "seconds" : how long it takes. "dies" : the process ends in the middle. "fails" : an error so
    many times. "refused" : an error of stridepack.
    """
    number = point["number"]
    if "folder" in point:
        folder = Path(point["folder"])
        calls = len(list(folder.glob(f"{number}-*")))
        (folder / f"{number}-{calls}").write_text(str(os.getpid()))
        if calls < point.get("fails", 0):
            raise ConnectionError("the network is down")
    time.sleep(point.get("seconds", 0))
    if point.get("dies"):
        os.kill(os.getpid(), signal.SIGKILL)
    if point.get("refused"):
        raise BudgetError("No plan takes so few bytes.")
    return {"square": number**2}
