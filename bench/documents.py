# SPDX-License-Identifier: Apache-2.0
"""Write the tables of README.md and docs/ from bench/results/, between their markers.

python bench/documents.py           # after `make bench`
python bench/documents.py --check   # exit 1 where a document does not say what the results say

A table `sizes` stands between <!-- sizes --> and <!-- /sizes -->. What was not measured yet, such
as a format that is new, has no row, or a dash in it.
"""

import json
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import counts
import markers

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMES = {
    "resnet8_cifar10_50.tflite": "ResNet8, CIFAR-10, 50 % pruned (bundled)",
    "kws_dscnn_sparse_l_70.tflite": "DS-CNN-L, keyword spotting, 70 %",
    "kws_dscnn_sparse_l_80.tflite": "DS-CNN-L, 80 %",
    "kws_dscnn_sparse_l_90.tflite": "DS-CNN-L, 90 %",
    "mobilenetv2_cifar10_sparse80.tflite": "MobileNetV2, CIFAR-10, 80 %",
    "mobilenetv2_cifar10_sparse90.tflite": "MobileNetV2, 90 %",
    "mlperf_tiny_vww_96_int8.tflite": "MLPerf Tiny's person detection, dead channels",
    "mlperf_tiny_ad01_int8.tflite": "MLPerf Tiny's anomaly detection, not pruned",
    "kws_dscnn_dense_l.tflite": "DS-CNN-L, not pruned",
}


FUZZED = {
    "fuzz_blob": "opening, validating and decoding a blob, whole and by tiles",
    "fuzz_bundle": "the same for all tensors of a `.spk` file",
    "fuzz_reader": "decoding through `spk_reader`, compared with decoding from memory",
    "fuzz_huffman": "TensorFlow Lite Micro's Huffman tensors, decoded",
    "fuzz_encode": "the encoders, with any tensor and options; what they write must decode to it",
    "fuzz_differential": "the reference, the encoders and the C decoders, which must agree",
    "fuzz_tflite": "every command, with changed `.tflite` files",
    "fuzz_atheris": "the same, led by the Python code that is reached",
}


def load(name: str) -> Any:
    return json.loads((ROOT / f"bench/results/{name}.json").read_text())


SHORT = {
    "resnet8_cifar10_50.tflite": "ResNet8, CIFAR-10, 50 % pruned (bundled)",
    "kws_dscnn_sparse_l_80.tflite": "DS-CNN-L, keyword spotting, 80 % pruned",
    "mobilenetv2_cifar10_sparse90.tflite": "MobileNetV2, CIFAR-10, 90 % pruned",
}


def models(names: Mapping[str, str] = NAMES) -> str:
    lines = [
        "| model | `.tflite` | packed `.tflite` | its weights | packed `.spk` | bound |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    rows = {row["model"]: row for row in load("models")}
    for model, name in names.items():
        if model not in rows:
            continue
        row = rows[model]
        before, after = row["tflite_nbytes"], row["packed_tflite_nbytes"]
        weights, spk, bound = row["weights"], row["spk_nbytes"], row["entropy_nbytes"]
        lines.append(
            f"| {name} | {before:,} | **{after:,}** "
            f"({after / before:.0%}) | {weights:,} | **{spk:,}** ({spk / weights:.0%}) "
            f"| {bound / weights:.0%} |"
        )
    return "\n".join(lines)


def models_short() -> str:
    """The three rows of README.md."""
    return models(SHORT)


def arenas() -> str:
    """What packing for the unmodified interpreter costs in RAM."""
    lines = ["| model | arena before | arena after | more |", "|---|--:|--:|--:|"]
    rows = {row["model"]: row for row in load("models")}
    for model in (model for model in NAMES if model in rows):
        before, after = rows[model]["arena_nbytes"]
        lines.append(f"| {NAMES[model]} | {before:,} | {after:,} | {after - before:,} |")
    return "\n".join(lines)


def bundled() -> str:
    """How accurate the bundled model is; experiments/points.py trained it."""
    points = load("../../experiments/results/resnet8_cifar10")["points"]
    accuracy = {p["sparsity"]: p["accuracy"] for p in points if p["seed"] == 1}
    return (
        f"The bundled ResNet8 classifies {accuracy[0.5]:.1%} of the CIFAR-10 test images correctly "
        "(in a copy that was JPEG-compressed once more, and on which it was trained). The same "
        f"network without pruning reaches {accuracy[0.0]:.1%}. The other models are public ones."
    )


def proofs() -> str:
    """What `make proofs` proves, and the processor time that it took."""
    lines = ["| what | for any bytes, within | seconds |", "|---|---|--:|"]
    lines += [f"| {p['claim']} | {p['bounds']} | {p['seconds']:.1f} |" for p in load("proofs")]
    lines.append(f"| all | | {sum(p['seconds'] for p in load('proofs')):.0f} |")
    return "\n".join(lines)


def fuzzed() -> str:
    """How long `make fuzz` ran each target: on the sources of one digest, and on all."""
    lines = [
        "| target | what gets any bytes | sources | last run | hours | inputs "
        "| hours, all sources | inputs, all sources |",
        "|---|---|---|---|--:|--:|--:|--:|",
    ]
    results = load("fuzz")
    for target, what in FUZZED.items():
        cells = [f"`{target}`", what]
        if target in results:
            run = results[target]
            cells += [f"`{run['sources']}`", run["last_run"]]
            for runs in ("", "all_"):
                cells += [f"{run[runs + 'cpu_seconds'] / 3600:.2f}", f"{run[runs + 'inputs']:,}"]
        else:
            cells += ["-", "never", "0.00", "0", "0.00", "0"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def misra() -> str:
    """The deviations that `make misra` allows."""
    listed = tomllib.loads((ROOT / "tests/static/misra.toml").read_text())["rules"]
    lines = ["| rule | why |", "|---|---|"]
    lines += [f"| {rule} | {reason} |" for rule, reason in listed.items()]
    return "\n".join(lines)


def sizes() -> str:
    records = [r for r in load("sizes") if r["network"] == "ResNet8"]
    lines = [
        "| bytes, ResNet8's six tensors | 30 % | paper | 50 % | paper | 70 % zeros | paper |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    of = {(r["format"], r["sparsity"]): r for r in records}
    for name in dict.fromkeys(r["format"] for r in records if r["format"] != "dense"):
        cells = [f"`{name}`"]
        for sparsity in (0.3, 0.5, 0.7):
            record = of.get((name, sparsity), {})
            cells += [
                _number(record.get(key), ",.0f") for key in ("payload_nbytes", "paper_nbytes")
            ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def search() -> str:
    records = [r for r in load("encode")["search"] if r["sparsity"] == 0.5]
    header = "| elements, 50 % zeros | " + " | ".join(f"{r['n']:,}" for r in records) + " |"
    times = (
        "| `find_groups`, seconds | " + " | ".join(f"{r['seconds']:.4f}" for r in records) + " |"
    )
    return "\n".join([header, "|---" + "|--:" * len(records) + "|", times])


def m55() -> str:
    """Table I's cycles are those of the board; ours are in the results beside the instructions."""
    records = counts.records("resnet8")
    sparsities = (0.3, 0.5, 0.7)
    lines = [
        "| per weight at 30 / 50 / 70 % zeros | instructions, Helium | M55 without | Cortex-M4 "
        "| estimated cycles, Helium | code | stack | checks, Helium / scalar |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name in dict.fromkeys(r["format"] for r in records):
        of = {(r["path"], r["sparsity"]): r for r in records if r["format"] == name}

        def row(path: str, key: str, of: dict[Any, Any] = of) -> str:
            return " / ".join(_number(of.get((path, s), {}).get(key), ".2f") for s in sparsities)

        def checks(path: str, of: dict[Any, Any] = of) -> str:
            record = of.get((path, 0.5))
            if record is None:
                return "-"
            return f"{record['instructions'] / record['instructions_unchecked'] - 1:+.0%}"

        helium = [record for (path, _), record in of.items() if path == "helium"]
        code = max((record["text_bytes"] for record in helium), default=None)
        stack = max((record["stack_bytes"] for record in helium), default=None)
        lines.append(
            f"| `{name}` | {row('helium', 'instructions_per_weight')} "
            f"| {row('scalar', 'instructions_per_weight')} "
            f"| {row('m4', 'instructions_per_weight')} "
            f"| {row('helium', 'cycles_per_weight')} "
            f"| {_number(code, ',')} B | {_number(stack, ',')} B "
            f"| {checks('helium')} / {checks('scalar')} |"
        )
    return "\n".join(lines)


def cores() -> str:
    """Instructions on other cores, from bench/cores, beside those of the M55."""
    records = counts.of_cores()
    of = {(r["core"], r["format"], r["sparsity"]): r["instructions_per_weight"] for r in records}
    of |= {
        ("helium", r["format"], r["sparsity"]): r["instructions_per_weight"]
        for r in counts.records("resnet8", "helium")
    }
    columns = {
        "Cortex-M0": "cortex-m0",
        "Cortex-M4": "cortex-m4",
        "Cortex-M33": "cortex-m33",
        "RV32IMC": "riscv32",
        "vectors of 128 bits": "riscv-v",
        "256 bits": "riscv-v, 256 bits",
        "512 bits": "riscv-v, 512 bits",
        "Cortex-M55, Helium": "helium",
    }
    lines = [
        f"| per weight at 30 / 50 / 70 % zeros | {' | '.join(columns)} |",
        "|---" + "|--:" * len(columns) + "|",
    ]
    for name in dict.fromkeys(r["format"] for r in records):
        cells = [
            " / ".join(_number(of.get((core, name, s)), ".2f") for s in (0.3, 0.5, 0.7))
            for core in columns.values()
        ]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def riscv_code() -> str:
    """Code and stack of the decoders on RISC-V."""
    records = counts.of_cores()
    most: dict[tuple[str, str, str], int] = {}
    for r in records:
        for key in ("text_bytes", "stack_bytes"):
            where = (r["core"], r["format"], key)
            most[where] = max(most.get(where, 0), r[key])
    lines = [
        "| bytes | code, RV32IMC | stack | code, with vectors | stack |",
        "|---" + "|--:" * 4 + "|",
    ]
    for name in dict.fromkeys(r["format"] for r in records):
        cells = [
            f"{most[core, name, key]:,}"
            for core in ("riscv32", "riscv-v")
            for key in ("text_bytes", "stack_bytes")
        ]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def prune() -> str:
    """spk_tflm_prune_s8 beside the loop that TensorFlow Lite Micro has."""
    records = counts.records("prune")
    sparsities = (0.3, 0.5, 0.7, 0.9)
    of = {(r["decoder"], r["path"], r["sparsity"]): r["instructions_per_weight"] for r in records}
    headings = " | ".join(f"{s:.0%} zeros" for s in sparsities)
    lines = [
        f"| a PRUNE tensor, instructions per weight | {headings} |",
        "|---" + "|--:" * len(sparsities) + "|",
    ]
    loop = [of["bit_loop", "scalar", s] for s in sparsities]
    lines.append(f"| bit by bit, as the stock interpreter | {_cells(loop)} |")
    for name, path in (("scalar", "scalar"), ("Helium", "helium")):
        ours = [of["spk_tflm_prune_s8", path, s] for s in sparsities]
        ratios = [f"{n:.2f} ({b / n:.1f}x fewer)" for n, b in zip(ours, loop, strict=True)]
        lines.append(f"| `spk_tflm_prune_s8`, {name} | {' | '.join(ratios)} |")
    return "\n".join(lines)


def frontier() -> str:
    """Bytes against cycles: a row for each format, the others and the bound below."""
    entries = load("frontier")
    names = [
        entry["title"].replace("Gaussian, ", "").replace("CIFAR-10, ", "").replace(" zeros", "")
        for entry in entries
    ]
    lines = [
        f"| bytes a weight (est. cycles a weight) | {' | '.join(names)} |",
        "|---" + "|--:" * len(entries) + "|",
    ]
    for format in dict.fromkeys(name for entry in entries for name in entry["formats"]):
        cells = []
        for entry in entries:
            of = entry["formats"].get(format)
            if of is None:
                cells.append("-")
                continue
            cycles = "in place" if format == "dense" else f"{of['cycles_per_weight']:.2f}"
            cells.append(f"{of['nbytes'] / entry['weights']:.3f} ({cycles})")
        lines.append(f"| `{format}` | {' | '.join(cells)} |")
    others = {name: f"*{name}*" for name in entries[0]["peers"]}
    for name, title in others.items():
        cells = [f"{entry['peers'][name] / entry['weights']:.3f}" for entry in entries]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    cells = [f"{entry['entropy_nbytes'] / entry['weights']:.3f}" for entry in entries]
    lines.append(f"| zero-order entropy | {' | '.join(cells)} |")
    return "\n".join(lines)


def estimates() -> str:
    """Errors of `inspect --target`, and how much more the code of GCC executes."""
    lines = [
        "| format | networks, Helium | scalar | unlike networks, Helium | scalar "
        "| fewer than 2,048 weights | GCC -O2, Helium | scalar |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, of in load("estimates").items():
        both = of["helium"], of["scalar"]
        cells = [f"{one[what]:.1%}" for what in ("networks", "extremes") for one in both]
        cells.append(f"{max(one['short'] for one in both):.1%}")
        cells += ["{:.2f} to {:.2f}".format(*one["GCC -O2"]) for one in both]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cells(numbers: list[float]) -> str:
    return " | ".join(f"{number:.2f}" for number in numbers)


def _number(number: float | None, spec: str) -> str:
    return "-" if number is None else format(number, spec)


def checkpoint() -> str:
    """Files that were packed, verified and unpacked, and by calculation 70 billion weights."""
    rows = sorted(load("checkpoint"), key=lambda row: (-row["largest_tensor"], row["weights"]))
    lines = [
        "| | command | time | time of processors | peak of memory |",
        "|---|---|--:|--:|--:|",
    ]
    for row in rows:
        n = row["weights"]
        what = (
            f"measured: {n:,} weights in {row['tensors']:,} tensors of at most "
            f"{row['largest_tensor']:,}; packed {row['packed_nbytes'] / n:.1%}"
        )
        for command in ("pack", "verify", "unpack"):
            used = row[command]
            lines.append(
                f"| {what} | `{command}` | {used['seconds']:,.0f} s "
                f"| {used['processor_seconds']:,.0f} s | {used['peak_nbytes'] / 1e6:,.0f} MB |"
            )
            what = ""
    row, many = max(rows, key=lambda row: row["weights"]), 70_000_000_000
    times = many / row["weights"]
    what = (
        f"calculated, not measured: {many:,} weights, {times:,.0f} times the largest one above; "
        f"packed {row['packed_nbytes'] * times / 1e9:,.1f} GB"
    )
    for command in ("pack", "verify", "unpack"):
        hours = [row[command][of] * times / 3600 for of in ("seconds", "processor_seconds")]
        lines.append(f"| {what} | `{command}` | {hours[0]:,.1f} h | {hours[1]:,.1f} h | as above |")
        what = ""
    return "\n".join(lines)


def validate() -> str:
    """What the checksum costs with each table, and with it all that spk_validate does."""
    lines = [
        "| core | `SPK_CRC32_TABLE` | code and table | for each byte | `bitmap` | `huffman` |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for row in load("validate"):
        per_weight = row["instructions_per_weight"]
        lines.append(
            f"| {row['core']} | {row['table']} | {row['code_bytes_Os']:,} "
            f"| {row['instructions_per_byte']:.1f} | {per_weight['bitmap']:.1f} "
            f"| {per_weight['huffman']:.1f} |"
        )
    return "\n".join(lines)


TABLES = {
    "models_short": models_short,
    "models": models,
    "arenas": arenas,
    "bundled": bundled,
    "sizes": sizes,
    "frontier": frontier,
    "search": search,
    "m55": m55,
    "estimates": estimates,
    "cores": cores,
    "riscv_code": riscv_code,
    "prune": prune,
    "checkpoint": checkpoint,
    "validate": validate,
    "proofs": proofs,
    "fuzzed": fuzzed,
    "misra": misra,
}


@click.command(help=__doc__)
@click.option("--check", is_flag=True)
def main(check: bool) -> None:
    texts = {path: path.read_text() for path in DOCUMENTS}
    new = dict(texts)
    for name, table in TABLES.items():
        written = table()
        replaced = {path: markers.replaced(text, name, written) for path, text in new.items()}
        places = {path: text for path, text in replaced.items() if text is not None}
        if not places:
            sys.exit(f"no document has the markers of {name}")
        new |= places
    for path in (path for path in DOCUMENTS if new[path] != texts[path]):
        if check:
            sys.exit(
                f"{path.relative_to(ROOT)} differs from bench/results: "
                "run python bench/documents.py"
            )
        path.write_text(new[path])


if __name__ == "__main__":
    main()
