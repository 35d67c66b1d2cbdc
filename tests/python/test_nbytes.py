# SPDX-License-Identifier: Apache-2.0
"""Numbers of bytes as people type them."""

import click
import pytest

from stridepack.cli.nbytes import nbytes


@pytest.mark.parametrize(
    ("text", "value"),
    [("48,500", 48_500), ("1,234,567", 1_234_567), ("60_000", 60_000), ("60kB", 60_000)],
)
def test_commas_between_thousands(text: str, value: int) -> None:
    assert nbytes(text) == value


@pytest.mark.parametrize("text", ["0.5B", "0.5", "60000.5", "1.0001 B", "0.0001kB"])
def test_a_part_of_a_byte(text: str) -> None:
    with pytest.raises(click.BadParameter, match=f"'{text}' has a part of a byte. Give a whole"):
        nbytes(text)


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("0.0B", 0), ("1.1KiB", 1126), ("2.0", 2)])
def test_fractions(text: str, value: int) -> None:
    assert nbytes(text) == value


@pytest.mark.parametrize("text", ["48,5kB", "1,5", "1234,567", "4,8,5", "", "kB", "-1", "1e3"])
def test_what_is_not_a_number_of_bytes(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a number of bytes"):
        nbytes(text)
