# SPDX-License-Identifier: Apache-2.0
"""C sources as text: the names that a source defines, and other names for them.

It knows as much of C as sources need that clang-format has laid out.
"""

import re
from collections.abc import Collection, Iterator

_COMMENT = r"/\*.*?\*/|//[^\n]*"
_LITERAL = r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
_NOT_CODE = re.compile(f"{_COMMENT}|{_LITERAL}", re.DOTALL)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\\\n]|\\.)*$", re.MULTILINE | re.DOTALL)
_MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.MULTILINE)
_UNDEFINED = re.compile(r"^[ \t]*#[ \t]*undef[ \t]+(\w+)", re.MULTILINE)
_TAG = re.compile(r"\b(?:struct|union|enum)\s+(\w+)\s*$")
_BEFORE_BRACKET = re.compile(r"(\w+)\s*\(")
_OBJECT = re.compile(r"(\w+)\s*(?:\[[^\]]*\]\s*)*(?:=.*)?$", re.DOTALL)


def own_names(text: str) -> list[str]:
    """What a source defines outside of functions under names that do not start with spk_.

    >>> own_names("enum { SIZE = 4 };\\nstatic int walk(int n) { return n; }\\nint spk_f(void);")
    ['SIZE', 'walk']
    """
    names = dict.fromkeys(name for head, body in _parts(text) for name in _defined(head, body))
    return [name for name in names if not name.lower().startswith("spk_")]


def macros(text: str) -> list[str]:
    """The macros that a source defines and leaves defined, but for those of SPK_."""
    undefined = set(_UNDEFINED.findall(text))
    names = dict.fromkeys(_MACRO.findall(_NOT_CODE.sub(" ", text)))
    return [name for name in names if name not in undefined and not name.startswith("SPK_")]


def rename(text: str, names: Collection[str], suffix: str) -> str:
    """A source with a suffix at some of its names. Members of structures are left alone.

    >>> rename("int n; /* n */ s.n = n;", ["n"], "_psr")
    'int n_psr; /* n */ s.n = n_psr;'
    """
    if not names:
        return text
    name = re.compile(rf"(?<!\.)(?<!->)\b(?:{'|'.join(names)})\b")
    pieces = []
    end = 0
    for match in _NOT_CODE.finditer(text):
        pieces += [name.sub(rf"\g<0>{suffix}", text[end : match.start()]), match[0]]
        end = match.end()
    return "".join([*pieces, name.sub(rf"\g<0>{suffix}", text[end:])])


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Declarations and definitions outside of functions: what is outside of braces, and inside."""
    code = _DIRECTIVE.sub("", _NOT_CODE.sub(" ", text))
    depth, head, body = 0, "", ""
    for piece in re.split(r"([{};])", code):
        if piece == "{":
            depth += 1
        elif piece == "}":
            depth -= 1
        is_function = "(" in head and "=" not in head and not head.lstrip().startswith("typedef")
        if depth == 0 and (piece == ";" or (piece == "}" and is_function)):
            yield head, body
            head = body = ""
        elif depth == 0 and piece != "}":
            head += piece
        elif piece not in ("{", "}"):
            body += piece


def _defined(head: str, body: str) -> Iterator[str]:
    """The names of one declaration or definition."""
    tag = _TAG.search(head) if body else None
    if tag:
        yield tag[1]
    if re.match(r"\s*(?:typedef\s+)?enum\b", head):
        for constant in body.split(","):
            yield from re.findall(r"^\s*(\w+)", constant)
        if "typedef" not in head:
            return
    bracket = _BEFORE_BRACKET.search(re.sub(r"__attribute__\s*\(\(.*?\)\)", "", head))
    found = bracket or (None if tag and "typedef" not in head else _OBJECT.search(head.strip()))
    if found:
        yield found[1]
