# SPDX-License-Identifier: Apache-2.0
"""Whether a Dask scheduler answers at an address, in a time that is limited.

Dask limits the time to connect, but not the time until the other side says what it is. Anything
that listens and says nothing, such as the port of the dashboard, would be waited for without end.
"""

import asyncio
import importlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from stridepack.errors import StridepackError


def check_scheduler(address: str, patience: float) -> None:
    """Refuse an address that is not that of a scheduler.

    Parameters
    ----------
    address : str
        Such as `tcp://10.0.0.1:8786`.
    patience : float
        Seconds.

    Raises
    ------
    OSError, ValueError
        When nothing answers as Dask does.
    StridepackError
        When a worker answers, or another part of Dask.
    """
    with ThreadPoolExecutor(1) as thread:  # a notebook has a loop of its own in this thread
        kind = thread.submit(lambda: asyncio.run(_kind(address, patience))).result()
    if kind != "Scheduler":
        raise StridepackError(
            f"{address} is the address of a Dask {kind.lower()}. Give the address of the scheduler "
            "instead, which `dask scheduler` prints when it starts."
        )


async def _kind(address: str, patience: float) -> str:
    distributed: Any = importlib.import_module("distributed")
    arguments = distributed.Security().get_connection_args("client")
    # Not `async with`: a peer that is silent would be waited for again when it is closed.
    peer = distributed.rpc(address, timeout=patience, connection_args=arguments)
    try:
        # A second more: where nothing listens, Dask says so after its own time.
        identity = await asyncio.wait_for(peer.identity(), patience + 1)
    except TimeoutError:
        raise OSError(
            f"something listens there, but does not answer as a scheduler within {patience} "
            "seconds. The port of the dashboard is not that of the scheduler"
        ) from None
    await peer.close_rpc()
    return str(identity["type"])
