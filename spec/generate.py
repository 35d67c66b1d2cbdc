# SPDX-License-Identifier: Apache-2.0
"""Generate the constants of C and Python from spec.toml, and the library version in C.

python spec/generate.py           # write both files
python spec/generate.py --check   # exit 1 when one of them is stale
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
C_HEADER = ROOT / "runtime/include/spk_spec.h"
PYTHON = ROOT / "src/stridepack/_spec.py"
NOTE = "Generated from spec/spec.toml by spec/generate.py. Do not edit."


def version_numbers(version: str) -> list[str]:
    """Macros that #if can compare, of a version such as "1.2.3" or "1.2.3rc1"."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    if not found:
        raise SystemExit(f"pyproject.toml: the version {version!r} must start with three numbers.")
    parts = zip(("MAJOR", "MINOR", "PATCH"), found.groups(), strict=True)
    return [f"#define SPK_LIBRARY_VERSION_{name} {int(number)}" for name, number in parts]


def c_header(spec: dict[str, Any], library_version: str) -> str:
    lines = [
        "/* SPDX-License-Identifier: Apache-2.0 */",
        f"/* {NOTE} */",
        "/* clang-format off */",
        "#ifndef SPK_SPEC_H",
        "#define SPK_SPEC_H",
        "",
        f'#define SPK_LIBRARY_VERSION "{library_version}" /* of stridepack, from pyproject.toml */',
        *version_numbers(library_version),
        f"#define SPK_VERSION {spec['version']} /* of the format, in every blob */",
        f"#define SPK_MAGIC 0x{spec['magic']:02X}u /* the first byte of a blob */",
        f'#define SPK_TFLM_OPERATOR "{spec["tflm_operator"]}" /* in .tflite files */',
        "",
    ]
    lines += [f"#define SPK_{name.upper()} {value}u" for name, value in spec["limits"].items()]
    lines += ["", "/* Bits beside the wire id of the format, in byte 2 of a blob. */"]
    lines += [
        f"#define SPK_FLAG_{name.upper()} 0x{bit:02X}u" for name, bit in spec["flags"].items()
    ]
    lines += ["", "/* Every format, for use as SPK_FORMATS(X) with X(name, NAME, wire id). */"]
    rows = [f"  X({name}, {name.upper()}, {wire})" for name, wire in spec["formats"].items()]
    lines += ["#define SPK_FORMATS(X) \\", " \\\n".join(rows), ""]
    lines += [f"#define SPK_FORMAT_{n.upper()} {wire}u" for n, wire in spec["formats"].items()]
    lines += [
        "",
        "/* SPK_IF_<NAME>(code): the code, or nothing where SPK_WITHOUT_<NAME> is defined. */",
    ]
    for name in (*map(str.upper, spec["formats"]), "TRANSFORMS"):
        lines += [f"#ifdef SPK_WITHOUT_{name}", f"#define SPK_IF_{name}(code)", "#else"]
        lines += [f"#define SPK_IF_{name}(code) code", "#endif"]
    lines += ["", "typedef enum spk_status {"]
    last = list(spec["status"])[-1]
    for name, status in spec["status"].items():
        prefix = "SPK_OK" if name == "ok" else f"SPK_ERROR_{name.upper()}"
        comma = "" if name == last else ","  # C++98 has none after the last one
        lines.append(f"  {prefix} = {status['value']}{comma} /* {status['text']} */")
    lines += ["} spk_status;", "", "/* Every status, for use with X(enumerator, name). */"]
    rows = []
    for name in spec["status"]:
        prefix = "SPK_OK" if name == "ok" else f"SPK_ERROR_{name.upper()}"
        rows.append(f'  X({prefix}, "{name}")')
    lines += ["#define SPK_STATUSES(X) \\", " \\\n".join(rows), "", "#endif"]
    return "\n".join(lines) + "\n"


def python_module(spec: dict[str, Any]) -> str:
    lines = [
        "# SPDX-License-Identifier: Apache-2.0",
        f'"""{NOTE}"""',
        "",
        f"VERSION = {spec['version']}",
    ]
    lines += [f"MAGIC = 0x{spec['magic']:02X}"]
    lines += [f'TFLM_OPERATOR = "{spec["tflm_operator"]}"', ""]
    lines += [f"{name.upper()} = {value}" for name, value in spec["limits"].items()]
    lines += ["", "# flag -> its bit, beside the wire id of the format", "FLAGS = {"]
    lines += [f'    "{name}": 0x{bit:02X},' for name, bit in spec["flags"].items()]
    lines += ["}", "", "# format name -> wire id", "FORMATS = {"]
    lines += [f'    "{name}": {wire},' for name, wire in spec["formats"].items()]
    lines += ["}", "", "# status value -> (name, what it means)", "STATUS = {"]
    lines += [
        f'    {status["value"]}: ("{name}", "{status["text"]}"),'
        for name, status in spec["status"].items()
    ]
    return "\n".join(lines) + "\n}\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only report stale files")
    check = parser.parse_args().check
    spec = tomllib.loads((ROOT / "spec/spec.toml").read_text())
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    stale = 0
    for path, text in ((C_HEADER, c_header(spec, version)), (PYTHON, python_module(spec))):
        if path.exists() and path.read_text() == text:
            continue
        if check:
            print(
                f"{path.relative_to(ROOT)} is stale: run python spec/generate.py", file=sys.stderr
            )
            stale = 1
        else:
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}")
    return stale


if __name__ == "__main__":
    sys.exit(main())
