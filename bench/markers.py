# SPDX-License-Identifier: Apache-2.0
"""Tables in documents: `sizes` stands between <!-- sizes --> and <!-- /sizes -->."""


def replaced(text: str, name: str, table: str) -> str | None:
    """The document with another table of that name; None where it has no such markers."""
    head, begin, rest = text.partition(f"<!-- {name} -->\n")
    _, end, tail = rest.partition(f"<!-- /{name} -->")
    return f"{head}{begin}\n{table}\n\n{end}{tail}" if begin and end else None
