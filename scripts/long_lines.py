# SPDX-License-Identifier: Apache-2.0
"""Break lines of Python that became too long when a name in them was replaced.

The formatter of code does it for code. This does it for comments, docstrings and string literals.
"""

import io
import re
import tokenize

LIMIT = 100


def wrapped(text: str) -> str:
    """The text with its long comments, docstrings and literals broken between words."""
    documents: set[int] = set()  # lines within strings of several lines, or in triple quotes
    comments: dict[int, int] = {}  # columns of comments after code
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        row, column = token.start
        if token.type == tokenize.STRING and token.string.endswith('"""'):
            documents.update(range(row, token.end[0] + 1))
        elif token.type == tokenize.COMMENT and token.line[:column].strip():
            comments[row] = column
    lines: list[str] = []
    for row, line in enumerate(text.splitlines(), 1):
        if len(line) <= LIMIT:
            lines.append(line)
            continue
        indent = re.match(r" *", line)[0]  # type: ignore[index]
        if row in comments:  # to a line before the code
            lines += _broken(indent + line[comments[row] :], f"{indent}# ")
            lines.append(line[: comments[row]].rstrip())
        elif row in documents:
            lines += _broken(line, indent)
        elif line.startswith(f"{indent}#"):
            lines += _broken(line, f"{indent}# ")
        elif literal := re.match(r' *(f?)"[^"]*",?$', line):
            lines += _broken(line, f'{indent}{literal[1]}"', ' "')
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def _broken(line: str, begin: str, end: str = "") -> list[str]:
    """The line in parts: `begin` starts each but the first, `end` closes each but the last."""
    parts = []
    while len(line) > LIMIT:
        places = [m.start() for m in re.finditer(" ", line) if m.start() > len(begin)]
        fitting = [
            i
            for i in places
            if i + len(end) <= LIMIT and line.count("{", 0, i) == line.count("}", 0, i)
        ]
        if not fitting:
            break
        parts.append(line[: fitting[-1]] + end)
        line = begin + line[fitting[-1] + 1 :]
    return [*parts, line]
