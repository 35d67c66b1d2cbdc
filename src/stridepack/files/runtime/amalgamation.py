# SPDX-License-Identifier: Apache-2.0
"""The library as one header and one C file.

All that the C file does not show becomes static. The names that a source keeps to itself get the
name of that source at their end, because several sources have a `walk` or a `HEADER` of their own.
"""

import posixpath
import re
from collections.abc import Iterator

from stridepack.files.runtime import c_text
from stridepack.files.runtime.library import Files, Library

NEXT_STEP = "Compile spk.c together with your program."

_LICENCE = "/* SPDX-License-Identifier: Apache-2.0 */\n"
_INTERFACE = "include/spk.h"
_HOW_TO_COMPILE = "README.md beside this folder says how, with CMake or without."
_INCLUDE = re.compile(r'^#include "([^"]+)"\n', re.MULTILINE)
_SYSTEM = re.compile(r"^#include <([^>]+)>", re.MULTILINE)
_C99 = {"stdbool.h", "stddef.h", "stdint.h", "string.h"}
_FIRST_IF = re.compile(r"^#if (SPK_\w+)", re.MULTILINE)
_PROTOTYPE = re.compile(r"^\w[\w *]*?\b(spk_\w+)\(", re.MULTILINE)
# A function that other sources call, where it is declared and where it is defined
_SHARED = re.compile(
    r"^(?!SPK_INLINE|typedef|.*\bstatic\b)(?=\w[\w *]*?\b(spk_\w+)\()", re.MULTILINE
)
# The same where a macro declares it for every format
_SHARED_BY_MACRO = re.compile(r"^(?= +spk_status spk_##)", re.MULTILINE)

_PROLOGUE = f"""\
{_LICENCE}\
/* stridepack runtime %s in one file: unpack int8 weights on the device. spk.h says how to use it.
 *
 * `stridepack runtime --amalgamate` wrote it. Do not edit. Compile it as C99 or later, with any
 * flags.
 */
#include "spk.h"

/* What the sources share is static here. It is not inlined, because a function would then need the
 * stack of all that it calls. Some of it is for certain processors or formats only. */
#if defined(__GNUC__)
#define SPK_LOCAL static __attribute__((noinline))
#pragma GCC diagnostic ignored "-Wunused-function"
#else
#define SPK_LOCAL static
#endif
"""


def arrange(library: Library) -> Files:
    """spk.h and spk.c, the C++ header, which only includes spk.h, and the licence."""
    text = {path: data.decode() for path, data in library.files.items() if path != "LICENSE"}
    header = _header(library, text)
    public = set(_PROTOTYPE.findall(header))
    inner = {path: _static(text[path], public) for path in text if path.startswith("src/")}
    kept = [path for path in library.files if path.endswith(".hpp") or path.startswith("tflm/")]
    files = {
        "spk.c": _PROLOGUE % library.version + "".join(_sources(inner)),
        "spk.h": header,
    }
    return {
        "LICENSE": library.files["LICENSE"],
        **{name: re.sub("\n{3,}", "\n\n", content).encode() for name, content in files.items()},
        **{path.removeprefix("include/"): library.files[path] for path in kept},
    }


def _header(library: Library, text: dict[str, str]) -> str:
    """All public headers in C: what spk.h includes at its place, and the others after it."""
    public = {path: text[path].removeprefix(_LICENCE) for path in library.headers}
    public = {path: content for path, content in public.items() if path.endswith(".h")}
    done = {_INTERFACE}

    def included(match: re.Match[str]) -> str:
        path = posixpath.join(posixpath.dirname(_INTERFACE), match[1])
        if path in done:
            return ""
        done.add(path)
        return _INCLUDE.sub(included, public[path])

    whole = _INCLUDE.sub(included, public[_INTERFACE]).replace(_HOW_TO_COMPILE, "compile spk.c.", 1)
    others = (
        _INCLUDE.sub(included, content) for path, content in public.items() if path not in done
    )
    return "\n".join([_LICENCE + whole, *others])


def _static(content: str, public: set[str]) -> str:
    """A source whose functions are static, unless they are public."""
    content = _SHARED.sub(lambda match: "" if match[1] in public else "SPK_LOCAL ", content)
    return _SHARED_BY_MACRO.sub("  SPK_LOCAL", content).removeprefix(_LICENCE)


def _sources(inner: dict[str, str]) -> Iterator[str]:
    """The headers, and then the C files without what they include."""
    done: set[str] = set()
    headers = {path: content for path, content in inner.items() if path.endswith(".h")}
    for path, content in headers.items():
        if set(_SYSTEM.findall(content)) <= _C99:
            yield from _expand(path, inner, done)
    for path in headers:
        if path not in done and (condition := _condition(posixpath.dirname(path), inner)):
            yield f"\n#if {condition}\n"
            yield from _expand(path, inner, done)
            yield "#endif\n"
    # Those for certain processors lie in folders of their own, and come last.
    for path in sorted(inner, key=lambda path: (path.count("/"), path)):
        if path.endswith(".c"):
            suffix = posixpath.basename(path).removesuffix(".c").removeprefix("spk")
            content = inner[path]
            inner[path] = c_text.rename(content, c_text.own_names(content), suffix)
            yield from _expand(path, inner, done)
            yield from (f"#undef {name}\n" for name in c_text.macros(content))


def _condition(folder: str, inner: dict[str, str]) -> str:
    """The macro that all C files of a folder start with a question for; none if they differ."""
    found = {
        match[1] if (match := _FIRST_IF.search(text)) else ""
        for path, text in inner.items()
        if posixpath.dirname(path) == folder and path.endswith(".c")
    }
    return found.pop() if len(found) == 1 else ""


def _expand(path: str, inner: dict[str, str], done: set[str], under: bool = False) -> Iterator[str]:
    """A file with the headers that it includes and that are not done.

    A header that is included under a condition is not done after that. It may come again, since
    its own guard keeps it from being read twice.
    """
    if path in done:
        return
    yield "\n"
    depth = 0
    for line in inner[path].splitlines(keepends=True):
        match = _INCLUDE.match(line)
        if match is None:
            depth += line.startswith("#if") - line.startswith("#endif")
            yield line
            continue
        header = posixpath.normpath(posixpath.join(posixpath.dirname(path), match[1]))
        if header in inner:  # the others are public
            guarded = depth > path.endswith(".h")
            yield from _expand(header, inner, done, under or guarded)
    if path.endswith(".h") and not under:
        done.add(path)
