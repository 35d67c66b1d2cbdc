"""Write the tables of README.md from bench/results/, between their markers.

python bench/readme.py           # after `make bench`
python bench/readme.py --check   # exit 1 when README.md does not say what the results say
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import click
import counts

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
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


def load(name: str) -> Any:
    return json.loads((ROOT / f"bench/results/{name}.json").read_text())


def models() -> str:
    lines = [
        "| model | `.tflite` | packed, stock TFLM | weights | packed `.spk` | bound |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    rows = {row["model"]: row for row in load("models")}
    for model, name in NAMES.items():
        row = rows[model]
        before, after = row["tflite_nbytes"], row["packed_tflite_nbytes"]
        weights, spk, bound = row["weights"], row["spk_nbytes"], row["entropy_nbytes"]
        lines.append(
            f"| {name} | {before:,} | **{after:,}** "
            f"({after / before:.0%}) | {weights:,} | **{spk:,}** ({spk / weights:.0%}) "
            f"| {bound / weights:.0%} |"
        )
    return "\n".join(lines)


def bundled() -> str:
    """How accurate the bundled model is; experiments/points.py trained it."""
    points = load("../../experiments/results/resnet8_cifar10")["points"]
    accuracy = {p["sparsity"]: p["accuracy"] for p in points if p["seed"] == 1}
    return (
        f"The bundled ResNet8 classifies {accuracy[0.5]:.1%} of the CIFAR-10 test images correctly "
        "(in a copy that was JPEG-compressed once more, on which it was trained), the same network "
        f"without pruning {accuracy[0.0]:.1%}. The other models are public ones."
    )


def sizes() -> str:
    records = [r for r in load("sizes") if r["network"] == "ResNet8"]
    lines = [
        "| bytes, ResNet8's six tensors | 30 % | paper | 50 % | paper | 70 % zeros | paper |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name in dict.fromkeys(r["format"] for r in records if r["format"] != "dense"):
        cells = [f"`{name}`"]
        for record in (r for r in records if r["format"] == name):
            paper = record.get("paper_nbytes")
            cells += [f"{record['payload_nbytes']:,}", f"{paper:,.0f}" if paper else "-"]
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
            return " / ".join(f"{of[path, s][key]:.2f}" for s in sparsities)

        def checks(path: str, of: dict[Any, Any] = of) -> str:
            record = of[path, 0.5]
            return f"{record['instructions'] / record['instructions_unchecked'] - 1:+.0%}"

        code = of["helium", 0.5]["text_bytes"]
        stack = max(of["helium", s]["stack_bytes"] for s in sparsities)
        lines.append(
            f"| `{name}` | {row('helium', 'instructions_per_weight')} "
            f"| {row('scalar', 'instructions_per_weight')} "
            f"| {row('m4', 'instructions_per_weight')} "
            f"| {row('helium', 'cycles_per_weight')} "
            f"| {code:,} B | {stack:,} B "
            f"| {checks('helium')} / {checks('scalar')} |"
        )
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
    for format in entries[0]["formats"]:
        cells = []
        for entry in entries:
            of = entry["formats"][format]
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


def _cells(numbers: list[float]) -> str:
    return " | ".join(f"{number:.2f}" for number in numbers)


TABLES = {
    "models": models,
    "bundled": bundled,
    "sizes": sizes,
    "frontier": frontier,
    "search": search,
    "m55": m55,
    "prune": prune,
}


@click.command(help=__doc__)
@click.option("--check", is_flag=True)
def main(check: bool) -> None:
    text = README.read_text()
    for name, table in TABLES.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        if not re.search(pattern, text, re.S):
            sys.exit(f"README.md has no markers for {name}")
        text = re.sub(pattern, lambda m, t=table: f"{m[1]}\n{t()}\n\n{m[2]}", text, flags=re.S)
    if text == README.read_text():
        return
    if check:
        sys.exit("README.md differs from bench/results: run python bench/readme.py")
    README.write_text(text)


if __name__ == "__main__":
    main()
