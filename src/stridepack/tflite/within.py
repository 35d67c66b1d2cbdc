# SPDX-License-Identifier: Apache-2.0
"""Which tensors of a model to pack, where the RAM that unpacking takes matters.

TensorFlow Lite Micro unpacks each tensor into its arena, right before the operator that reads it.
The choice is made with the estimate of `arena.model`; the interpreter measures what came of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from stridepack._words import counted
from stridepack.errors import BudgetError
from stridepack.plan.ram_choice import Chosen, Ram, RamChoice, RamOption
from stridepack.tflite.arena.goal import RamGoal, RamUse
from stridepack.tflite.arena.measure import measure_arena
from stridepack.tflite.arena.model import ArenaModel, Decodes
from stridepack.tflite.decode import decode_operators
from stridepack.tflite.encodings import Candidate
from stridepack.tflite.graph import Encoding
from stridepack.tflite.model import Model

# How often the limits are tightened by what the estimate was off.
_MOST_ATTEMPTS = 8


@dataclass(frozen=True)
class Within:
    """What was chosen.

    Attributes
    ----------
    data : bytes or None
        The packed file; None: nothing is packed.
    chosen : dict of int to int
        By candidate, which of its ways; all others stay dense.
    why_not : str
        Why they do.
    ram : RamUse
    """

    data: bytes | None
    chosen: dict[int, int]
    why_not: str
    ram: RamUse


def choose_within(
    model: bytes,
    parsed: Model,
    candidates: Sequence[Candidate],
    goal: RamGoal,
    build: Callable[[list[Encoding]], bytes],
) -> Within:
    """Choose the tensors to pack.

    Parameters
    ----------
    model : bytes
        The file as it is.
    parsed : Model
        The same, read. It is not changed.
    candidates : sequence of Candidate
    goal : RamGoal
    build : callable
        Makes the packed file of some encodings.

    Raises
    ------
    BudgetError
        When no choice keeps the limits. Says by how much they are missed.
    """
    dense = measure_arena(model)
    arena = ArenaModel(parsed, dense, decompression_memory=goal.decompression_memory)
    if goal.arena is not None and arena.dense.nbytes > goal.arena:
        more = arena.dense.nbytes - goal.arena
        when, advice = "before anything is packed", "Packing only adds to it."
        if any(decode_operators(parsed, graph) for graph in parsed.subgraphs):
            when = "as it is"
            advice = (
                "The model is packed already, which adds to its arena. Unpack it with "
                "`stridepack unpack`, and pack the dense model within this limit."
            )
        raise BudgetError(
            f"`arena={goal.arena}` is too small. {_subject(parsed, dense is not None)} "
            f"{counted(arena.dense.nbytes, 'byte')} of tensor arena {when}, which is "
            f"{more:,} more. {advice}",
            arena=goal.arena,
        )
    choice = _Choice(parsed, candidates, arena, goal, len(model))
    problem = choice.problem
    for _ in range(_MOST_ATTEMPTS):
        chosen, best = problem.best()
        if chosen is None:
            raise _too_large(choice, goal, model, build)
        data, use = choice.result(chosen, model, build, measured=dense is not None)
        over_arena = use.after - goal.arena if goal.arena is not None else 0
        over_flash = len(data or model) - goal.flash if goal.flash is not None else 0
        if over_arena <= 0 and over_flash <= 0:
            use = replace(use, best=best and choice.sizes_are_exact)
            within = _worth_it(choice, chosen, model, data, use)
            return replace(within, ram=_started(within, model, goal))
        if over_arena > 0 and problem.limit is not None:
            problem = replace(problem, limit=problem.limit - over_arena)
        if over_flash > 0 and problem.flash is not None:
            problem = replace(problem, flash=problem.flash - over_flash)
    raise _too_large(choice, goal, model, build)


class _Choice:
    """The candidates of a model as a `RamChoice`."""

    def __init__(
        self,
        parsed: Model,
        candidates: Sequence[Candidate],
        arena: ArenaModel,
        goal: RamGoal,
        nbytes: int,
    ) -> None:
        self.candidates = candidates
        self.arena = arena
        self.goal = goal
        everything = arena.decodes(e for c in candidates for e in c.ways[0][1])
        floor, peaks = arena.peaks([candidate.ways[0][1] for candidate in candidates])
        items = [
            [RamOption(c.dense), *(self._option(way, peak, everything) for way in c.ways)]
            for c, peak in zip(candidates, peaks, strict=True)
        ]
        rest = nbytes - sum(candidate.dense for candidate in candidates)
        self.problem = RamChoice(
            items,
            self._ram,
            fixed=arena.fixed,
            floor=floor,
            peak_is_elsewhere=goal.decompression_memory,
            counts=goal.counts,
            limit=goal.arena,
            flash=None if goal.flash is None else goal.flash - rest,
        )

    @property
    def sizes_are_exact(self) -> bool:
        """Whether what a tensor takes in the file does not depend on which others are packed.

        It does where fewer of them let operators share a DECODE.
        """
        for candidate in self.candidates:
            encodings = candidate.ways[0][1]
            alone = self.arena.decodes(encodings).values()
            if sum(len(e.readers) for e in encodings) != sum(len(g.tensors) for g in alone):
                return False
        return True

    def encodings(self, chosen: Chosen) -> list[Encoding]:
        """What is encoded in a choice."""
        pairs = zip(self.candidates, chosen, strict=True)
        return [e for candidate, way in pairs if way for e in candidate.ways[way - 1][1]]

    def smallest(self) -> Chosen:
        """The choice of the smallest file."""
        return tuple(1 for _ in self.candidates)

    def result(
        self,
        chosen: Chosen,
        model: bytes,
        build: Callable[[list[Encoding]], bytes],
        *,
        measured: bool,
    ) -> tuple[bytes | None, RamUse]:
        """The file of a choice, None if nothing is packed, and what it takes."""
        before = self.arena.dense.nbytes
        encodings = self.encodings(chosen)
        if not encodings:
            return None, RamUse(before, before, measured)
        data = build(encodings)
        estimate, beside = self.arena.of(encodings)
        found = measure_arena(data, decompression=beside) if measured else None
        after = (found or estimate).nbytes
        return data, RamUse(before, after, found is not None, beside)

    def left_out(self, chosen: Chosen) -> tuple[int, int, int]:
        """Tensors that stay dense for their RAM, and what packing them would do."""
        dense = [c for c, way in zip(self.candidates, chosen, strict=True) if not way]
        full, taken = self._ram(self.smallest()), self._ram(chosen)
        added = full.limited - taken.limited
        if self.goal.counts == "all":
            added += full.elsewhere - taken.elsewhere
        saved = sum(candidate.dense - candidate.ways[0][0] for candidate in dense)
        return sum(len(candidate.names) for candidate in dense), saved, added

    def _option(self, way: tuple[int, list[Encoding]], peak: int, everything: Decodes) -> RamOption:
        nbytes, encodings = way
        return RamOption(nbytes, self.arena.kept(encodings, among=everything), peak)

    def _ram(self, chosen: Chosen) -> Ram:
        arena, beside = self.arena.of(self.encodings(chosen))
        return Ram(arena.nbytes, beside)


def _worth_it(
    choice: _Choice, chosen: Chosen, model: bytes, data: bytes | None, use: RamUse
) -> Within:
    """The result, or nothing packed where that is no gain after all."""
    goal = choice.goal
    nbytes = len(model) if data is None else len(data)
    saved, added = len(model) - nbytes, use.after - use.before
    if goal.counts == "all":
        added += use.decompression
    none = RamUse(use.before, use.before, use.measured, best=use.best)
    dense_fits = goal.flash is None or len(model) <= goal.flash
    if data is not None and saved <= 0:
        why = f"the file takes {len(model):,} bytes and would take {nbytes:,} packed"
        return Within(None, {}, why, none)
    why = "unpacking it takes more RAM than packing it saves in the file"
    if goal.arena is not None:
        why = f"unpacking it takes more RAM than an arena of {goal.arena:,} bytes has left"
    if data is None or (goal.counts != "flash" and dense_fits and added >= saved):
        left_out = choice.left_out(tuple(0 for _ in chosen))
        return Within(None, {}, why, replace(none, left_out=left_out))
    ways = {i: way - 1 for i, way in enumerate(chosen) if way}
    return Within(data, ways, why, replace(use, left_out=choice.left_out(chosen)))


def _started(within: Within, model: bytes, goal: RamGoal) -> RamUse:
    """The same, having tried whether the interpreter starts in the arena that was allowed."""
    use = within.ram
    if goal.arena is None or not use.measured:
        return use
    data = model if within.data is None else within.data
    found = measure_arena(data, decompression=use.decompression, arena_size=goal.arena)
    return replace(use, starts=found is not None)


def _subject(parsed: Model, measured: bool) -> str:
    return f"{parsed.file} {'needs' if measured else 'needs about'}"


def _too_large(
    choice: _Choice, goal: RamGoal, model: bytes, build: Callable[[list[Encoding]], bytes]
) -> BudgetError:
    """No choice keeps the limit of the file, at least not together with that of the arena."""
    flash, limits = goal.flash, {"flash": goal.flash, "arena": goal.arena}

    def nbytes(chosen: Chosen) -> int:
        encodings = choice.encodings(chosen)
        return len(build(encodings)) if encodings else len(model)

    assert flash is not None  # the arena alone is kept by packing nothing
    smallest = min(nbytes(choice.smallest()), len(model))
    advice = "A .spk or .c file is usually smaller."
    if smallest > flash:
        return BudgetError(
            f"`flash={flash}` is too small. The smallest .tflite file takes "
            f"{smallest:,} bytes, which is {smallest - flash:,} more. {advice}",
            flash=flash,
        )
    within_arena, _ = replace(choice.problem, flash=None).best()
    within_flash, _ = replace(choice.problem, limit=None, counts="limited").best()
    assert within_arena is not None
    least = nbytes(within_arena)
    needs = ""
    if within_flash is not None:
        ram = choice.problem.ram(within_flash).limited
        needs = f", or allow an arena of {ram:,} bytes, which is {ram - (goal.arena or 0):,} more"
    return BudgetError(
        f"No file keeps `flash={flash}` and `arena={goal.arena}` together, although each of them "
        f"can be kept alone. Allow a file of {least:,} bytes, which is {least - flash:,} "
        f"more{needs}. {advice}",
        **limits,
    )
