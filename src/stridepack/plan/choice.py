# SPDX-License-Identifier: Apache-2.0
"""The best choice of a format for each tensor that keeps budgets of Flash and cycles.

Only numbers: `within.py` makes them of tensors, and deals with SRAM.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

from stridepack._words import counted, listed
from stridepack.errors import BudgetError, InputError
from stridepack.plan.budget import OBJECTIVES, Budget
from stridepack.plan.knapsack import Coefficients, Limits, Option, best_choice


@dataclass(frozen=True)
class FormatChoice:
    """The choice of a format for each tensor.

    Attributes
    ----------
    tensors : sequence of dict of str to Option
        For each tensor, what every possible format adds to bytes of Flash and cycles. Of equal
        ones the first is preferred. Where a format has several variants, `variant_of` names them.
    fixed_nbytes : int
        Bytes of Flash that any choice takes.
    code_nbytes : mapping of str to int
        Bytes of Flash for the decoder of a format, once, where a tensor is in it. Default: none.
    """

    tensors: Sequence[Mapping[str, Option]]
    fixed_nbytes: int = 0
    code_nbytes: Mapping[str, int] | None = None

    def best(self, budget: Budget, objective: str) -> list[str]:
        """Find the best choice that keeps the budgets of Flash and cycles.

        Parameters
        ----------
        budget : Budget
        objective : str
            "size": the fewest bytes of Flash. "speed": the fewest cycles. "balanced": both count
            the same, as shares of what lies between the smallest choice and the fastest, budgets
            aside. Of equal choices that of the fewest bytes, then of the fewest cycles.

        Returns
        -------
        list of str
            The format of each tensor, or the variant of one. The same for the same arguments.

        Raises
        ------
        BudgetError
            When none keeps them. Says how much would have to be allowed.
        """
        if objective not in OBJECTIVES:
            raise InputError(
                f"`objective={objective}` is unknown. Choose {listed(OBJECTIVES)}.",
                objective=objective,
            )
        coefficients = Coefficients(1, 0) if objective == "size" else Coefficients(0, 1)
        if objective == "balanced":
            smallest, fastest = self._least(Coefficients(1, 0)), self._least(Coefficients(0, 1))
            assert smallest is not None  # without limits there is always a choice
            assert fastest is not None
            coefficients = Coefficients(
                smallest.cycles - fastest.cycles, fastest.nbytes - smallest.nbytes
            )
        found = self._best(coefficients, Limits(budget.flash, budget.cycles))
        if found is None:
            raise BudgetError(self._what_is_missing(budget), **budget.given)
        return found

    def sums(self, chosen: Sequence[str]) -> Option:
        """Bytes of Flash and cycles of a choice."""
        options = [every[name] for every, name in zip(self.tensors, chosen, strict=True)]
        return Option(
            self.fixed_nbytes + sum(o.nbytes for o in options) + self._code(set(chosen)),
            sum(o.cycles for o in options),
        )

    def _code(self, used: set[str]) -> int:
        return sum((self.code_nbytes or {}).get(name, 0) for name in set(map(format_of, used)))

    def _best(self, coefficients: Coefficients, limits: Limits) -> list[str] | None:
        """Of the best choices with every set of decoders, the best one.

        With the decoders given it is a knapsack problem. A set of which one is not used only costs
        more than the same choice with the smaller set.
        """
        best: tuple[tuple[int, int, int], list[str]] | None = None
        for possible in self._sets_of_formats():
            items = [
                [(name, option) for name, option in every.items() if format_of(name) in possible]
                for every in self.tensors
            ]
            if not all(items):
                continue
            fixed = self.fixed_nbytes + self._code(possible)
            options = [[option for _, option in item] for item in items]
            least = sum(min(_weighted(o, coefficients) for o in item) for item in options)
            if best is not None and coefficients.nbytes * fixed + least > best[0][0]:
                continue
            flash = None if limits.nbytes is None else limits.nbytes - fixed
            chosen = best_choice(options, coefficients, Limits(flash, limits.cycles))
            if chosen is None:
                continue
            names = [item[i][0] for item, i in zip(items, chosen, strict=True)]
            sums = self.sums(names)
            key = (_weighted(sums, coefficients), *sums)
            if best is None or key < best[0]:
                best = key, names
        return None if best is None else best[1]

    def _sets_of_formats(self) -> Iterator[set[str]]:
        names = list(dict.fromkeys(map(format_of, chain.from_iterable(self.tensors))))
        costly = [name for name in names if self._code({name})]
        free = set(names).difference(costly)
        # With the largest sets first, bounds exclude most of the others.
        for n in range(len(costly), -1, -1):
            for some in combinations(costly, n):
                yield free.union(some)

    def _least(self, coefficients: Coefficients, limits: Limits | None = None) -> Option | None:
        """Sums of the best choice."""
        chosen = self._best(coefficients, limits or Limits())
        return None if chosen is None else self.sums(chosen)

    def _what_is_missing(self, budget: Budget) -> str:
        """The least that would have to be allowed: of either budget, the other one given."""
        flash, cycles = budget.flash, budget.cycles
        smallest = self._least(Coefficients(1, 0), Limits(None, cycles))
        fastest = self._least(Coefficients(0, 1), Limits(flash, None))
        if flash is None:
            assert fastest is not None  # cycles are the only limit, and it is left out here
            assert cycles is not None
            return (
                f"No plan keeps `max_cycles={cycles}`. The fastest one needs "
                f"{counted(fastest.cycles, 'cycle')}, which is {fastest.cycles - cycles:,} more."
            )
        if cycles is None:
            assert smallest is not None
            return (
                f"No plan keeps `flash={flash}`. The smallest one needs "
                f"{counted(smallest.nbytes, 'byte')} of Flash, which is "
                f"{smallest.nbytes - flash:,} more."
            )
        if smallest is None and fastest is None:
            each = (Budget(flash=flash), Budget(cycles=cycles))
            return " ".join(map(self._what_is_missing, each))
        if smallest is None or fastest is None:
            return self._one_alone(flash, cycles, smallest or fastest)
        return (
            f"No plan keeps `flash={flash}` and `max_cycles={cycles}` together, although each of "
            f"them can be kept alone: allow {counted(smallest.nbytes, 'byte')} of Flash for "
            f"{counted(cycles, 'cycle')}, which is {smallest.nbytes - flash:,} more, or allow "
            f"{counted(fastest.cycles, 'cycle')} in {counted(flash, 'byte')} of Flash, which is "
            f"{fastest.cycles - cycles:,} more."
        )

    def _one_alone(self, flash: int, cycles: int, other: Option | None) -> str:
        """One of two budgets cannot be kept at all.

        other: the best plan that keeps the budget that can be kept.
        """
        assert other is not None
        if other.nbytes <= flash:
            alone, limit = self._what_is_missing(Budget(cycles=cycles)), counted(flash, "byte")
            need = f"{counted(other.cycles, 'cycle')}, which is {other.cycles - cycles:,} more"
            return f"{alone} In {limit} of Flash, the fastest one needs {need}."
        alone, limit = self._what_is_missing(Budget(flash=flash)), counted(cycles, "cycle")
        need = f"{counted(other.nbytes, 'byte')} of Flash, which is {other.nbytes - flash:,} more"
        return f"{alone} For at most {limit}, the smallest one needs {need}."


def variant_of(format: str, number: int) -> str:
    """The name of a variant of a format; the first one has the name of the format itself.

    >>> variant_of("rans", 0), variant_of("rans", 1)
    ('rans', 'rans 1')
    """
    return f"{format} {number}" if number else format


def format_of(variant: str) -> str:
    """The format of a variant, of whatever number.

    >>> format_of(variant_of("rans", 1)), format_of(variant_of("rans", 0))
    ('rans', 'rans')
    """
    return variant.partition(" ")[0]


def _weighted(option: Option, coefficients: Coefficients) -> int:
    return coefficients.nbytes * option.nbytes + coefficients.cycles * option.cycles
