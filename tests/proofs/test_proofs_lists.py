# SPDX-License-Identifier: Apache-2.0
"""What the proofs list still fits the sources. This needs no CBMC, so it runs everywhere."""

import sys
import tomllib
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
import loop_rules
import prove

PROOFS = prove.proofs()
MUTANTS = tomllib.loads((prove.HERE / "mutants.toml").read_text())["mutant"]


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.name)
def test_rules_and_cuts_apply(proof: prove.Proof, tmp_path: Path) -> None:
    rules = [prove.HERE / "loops" / f"{name}.toml" for name in proof.loops]
    loop_rules.annotate(prove.RUNTIME / "src", rules, proof.cuts, tmp_path)
    text = "".join(path.read_text() for path in tmp_path.glob("*.[ch]"))
    n_rules = sum(len(tomllib.loads(rule.read_text())["loop"]) for rule in rules)
    assert text.count("SPK_LOOP(") == n_rules
    assert (prove.HERE / proof.harness).is_file()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant["old"])
def test_mutants_are_in_the_sources(mutant: dict[str, str], tmp_path: Path) -> None:
    assert (prove.RUNTIME / "src" / mutant["file"]).read_text().count(mutant["old"]) == 1
    proof = next(proof for proof in PROOFS if proof.name == mutant["proof"])
    for path in (prove.RUNTIME / "src").glob("*.[ch]"):
        (tmp_path / path.name).write_text(path.read_text().replace(mutant["old"], mutant["new"]))
    rules = [prove.HERE / "loops" / f"{name}.toml" for name in proof.loops]
    loop_rules.annotate(tmp_path, rules, proof.cuts, tmp_path)


def test_every_proof_has_a_mutant_or_says_why() -> None:
    without = {"crc32", "dcsr-extend", "huffman-walk", "ranks-values", "rans-fill"}
    # More cases of a proof that has mutants end with -more.
    proved = {proof.name.removesuffix("-more") for proof in PROOFS}
    assert proved - {mutant["proof"] for mutant in MUTANTS} == without


def test_rans_walks_over_blocks_of_kinds_that_are_proved() -> None:
    def kinds(name: str) -> set[frozenset[str]]:
        runs = next(proof.runs for proof in PROOFS if proof.name == name)
        return {
            frozenset(word for word in run.split() if word.startswith(("-DFLAGS", "-DDECODES")))
            for run in runs
        }

    assert kinds("rans-blocks") <= kinds("rans-block")


def test_a_variable_that_is_not_listed_is_refused() -> None:
    text = (
        "void f(int n) {\n  int i = 0, k = 0;\n  while (i < n) {\n    i++;\n    k += 2;\n  }\n}\n"
    )
    rule = {"at": "while (i < n)", "changes": "i", "invariant": "i <= n", "decreases": "n - i"}
    with pytest.raises(SystemExit, match="also assigns k"):
        loop_rules.apply(text, rule, 1)
    assert "ANY(i), ANY(k)" in loop_rules.apply(text, {**rule, "changes": "i; k"}, 1)


def test_a_loop_that_is_gone_is_refused() -> None:
    rule = {"at": "while (1)", "changes": "", "invariant": "1", "decreases": "0"}
    with pytest.raises(SystemExit, match="not there exactly once"):
        loop_rules.apply("for (;;) {}", rule, 1)
