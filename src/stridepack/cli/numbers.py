# SPDX-License-Identifier: Apache-2.0
"""Numbers that are options."""

import math
from typing import Any

import click


class FloatRange(click.FloatRange):
    """A number within a range; NaN and infinity are none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a number.", param, ctx)
        return number
