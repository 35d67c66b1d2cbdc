# SPDX-License-Identifier: Apache-2.0
"""Put the loop rules of loops/*.toml into a copy of the runtime's sources, for CBMC.

A rule names a loop by the text that it starts with, and gives

    before       declarations that stand in front of it, such as values at its start
    changes      what becomes of the variables that it changes: `x` for any value, or an assignment
    writes       objects whose bytes it writes, and which no condition or address depends on
    invariant    what holds whenever its condition is about to be looked at
    decreases    what becomes smaller with every turn, and is at least 0

The copy is only as good as `changes` is complete, so every variable that the text of the loop
assigns must be listed.
"""

import re
import tomllib
from pathlib import Path

TYPES = r"(?:u?int(?:8|16|32|64)_t|size_t|bool|char|int|entry|stretch|spk_\w+|span|lane|block)"
ASSIGNED = re.compile(
    r"(?<![\w.])(?<!->)([A-Za-z_]\w*)(?:\[[^\]]*\]|->\w+|\.\w+)*\s*(?:[-+|&^*]?=(?!=)|<<=|>>=|\+\+|--)"
    r"|(?:\+\+|--)\s*([A-Za-z_]\w*)"
    r"|[(,]\s*&([A-Za-z_]\w*)\s*[,)]"
)


def closing(text: str, at: int) -> int:
    """Where the bracket closes that opens at a place."""
    pairs, depth = {"(": ")", "{": "}"}, 0
    opening, end = text[at], pairs[text[at]]
    for i in range(at, len(text)):
        depth += (text[i] == opening) - (text[i] == end)
        if depth == 0:
            return i
    raise ValueError("a bracket does not close")


def loop_end(text: str, head_end: int) -> int:
    """Where the body of a loop ends whose head ends there."""
    body = head_end + 1
    while text[body].isspace():
        body += 1
    if text[body] == "{":
        return closing(text, body)
    return text.index(
        ";", closing(text, text.index("(", body)) if text[body:].startswith("for") else body
    )


def assigned(loop: str) -> set[str]:
    """The variables that a loop's text assigns and does not declare itself."""
    names = {name for match in ASSIGNED.finditer(loop) for name in match.groups() if name}
    declared: set[str] = set()
    for declaration in re.finditer(rf"\b(?:const )?{TYPES} ([^;]*)[;)]", loop):
        depth_0 = re.sub(r"\([^()]*\)", "", re.sub(r"\([^()]*\)", "", declaration[1]))
        for part in depth_0.split(","):
            name = re.match(r"\s*(?:\*?\s*(?:const )?)*([A-Za-z_]\w*)", part)
            if name:
                declared.add(name[1])
    return names - declared


def apply(text: str, rule: dict[str, str], number: int) -> str:
    """The source with one rule put in."""
    at = text.find(rule["at"])
    if at < 0 or text.find(rule["at"], at + 1) >= 0:
        raise SystemExit(
            f"loops: {rule['at']!r} is not there exactly once; make the rule name its loop again"
        )
    at = re.search(r"\b(for|while|do)\b", text[at:]).start() + at  # type: ignore[union-attr]
    is_do = text[at:].startswith("do")
    head = text.index("{" if is_do else "(", at)
    end = closing(text, head)
    loop = text[at : (end if is_do else loop_end(text, end)) + 1]
    changes = [c.strip() for c in rule["changes"].split(";") if c.strip()]
    listed = {re.match(r"[A-Za-z_]\w*", c)[0] for c in changes if "(" not in c.split("=")[0]}  # type: ignore[index]
    listed |= set(rule.get("writes", "").split())
    missing = assigned(loop) - listed
    if missing:
        raise SystemExit(f"loops: {rule['at']!r} also assigns {', '.join(sorted(missing))}")
    change = ", ".join(c if "=" in c or "(" in c else f"ANY({c})" for c in changes)
    invariant, measure = " ".join(rule["invariant"].split()), rule["decreases"]
    check = f"SPK_LOOP(again_{number}, before_{number}, ({change}), ({invariant}), ({measure}))"
    if is_do:
        text = f"{text[: head + 1]} {check};{text[head + 1 :]}"
    elif text[at:].startswith("while"):
        text = f"{text[: head + 1]}{check}, {text[head + 1 :]}"
    else:
        condition = text.index(";", head) + 1
        empty = text[condition:].lstrip().startswith(";")
        text = f"{text[:condition]} {check}{', 1' if empty else ','}{text[condition:]}"
    before = " ".join(rule.get("before", "").split())
    return (
        f"{text[:at]}_Bool again_{number} = 0; uint64_t before_{number} = 0; {before}\n{text[at:]}"
    )


def cut(text: str, name: str) -> str:
    """The source with the function called real_<name>: the harness has one of that name."""
    definition = re.search(rf"^(?:[A-Za-z_][\w ]*[ *])?{name}\([^;{{]*\) \{{", text, re.MULTILINE)
    if not definition:
        raise SystemExit(f"loops: there is no function {name} to cut")
    head = definition[0][:-2]
    real = definition[0].replace(f"{name}(", f"real_{name}(", 1)
    return f"{text[: definition.start()]}{head};\n{real}{text[definition.end() :]}"


def annotate(source: Path, rules: list[Path], cuts: list[str], to: Path) -> None:
    """Copy the sources, with model.h and the rules put in. A cut is file:function."""
    for path in source.glob("*.[ch]"):
        text = path.read_text()
        number = 0
        for function in cuts:
            if function.startswith(f"{path.name}:"):
                text = cut(text, function.split(":")[1])
        for rule_path in rules:
            for rule in tomllib.loads(rule_path.read_text())["loop"]:
                if rule["file"] == path.name:
                    number += 1
                    text = apply(text, rule, number)
        (to / path.name).write_text(f'#include "model.h"\n#line 1\n{text}')
