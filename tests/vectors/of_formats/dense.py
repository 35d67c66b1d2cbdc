# SPDX-License-Identifier: Apache-2.0
"""dense: its worked example, tiles that break a rule, and valid tiles that no encoder writes."""

from collections.abc import Iterator

from broken import Change, Vector
from example import ARRAY

# Of docs/format.md, stream by stream.
EXAMPLE = {"values": ARRAY.tobytes()}

# The values come last and their end is known without them, so decoding need not look for it.
DECODES = {"goes_on"}


def broken(change: Change) -> Iterator[Vector]:
    yield "values_cut", "36 values of 40", change(values=bytes(36))
