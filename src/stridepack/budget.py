"""Budgets of Flash, cycles and SRAM, and the best choice of formats that keeps the first two.

Only numbers: budget_plan.py makes them of tensors, and deals with SRAM.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

from stridepack.errors import BudgetError, InputError
from stridepack.knapsack import Limits, Option, Weights, best_choice

OBJECTIVES = ("size", "speed", "balanced")


@dataclass(frozen=True)
class Budget:
    """What a model may take; None: any amount.

    Attributes
    ----------
    flash : int or None
        Bytes of all blobs, and of the file around them.
    cycles : int or None
        To decode all tensors once, as `stridepack.estimate` has it.
    sram : int or None
        Bytes of the buffer that tensors or tiles are decoded into, one at a time.
    """

    flash: int | None = None
    cycles: int | None = None
    sram: int | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and value < 0:
                raise InputError(f"a budget is at least 0, got {name}={value}")


@dataclass(frozen=True)
class FormatChoice:
    """The choice of a format for each tensor.

    Attributes
    ----------
    tensors : sequence of dict of str to Option
        For each tensor, what every possible format adds to bytes of Flash and cycles. Of equal
        ones the first is preferred.
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
            The format of each tensor. The same for the same arguments.

        Raises
        ------
        BudgetError
            When none keeps them. Says how much would have to be allowed.
        """
        if objective not in OBJECTIVES:
            raise InputError(f"unknown objective {objective!r}; there are {', '.join(OBJECTIVES)}")
        weights = Weights(1, 0) if objective == "size" else Weights(0, 1)
        if objective == "balanced":
            smallest, fastest = self._least(Weights(1, 0)), self._least(Weights(0, 1))
            assert smallest is not None  # without limits there is always a choice
            assert fastest is not None
            weights = Weights(smallest.cycles - fastest.cycles, fastest.nbytes - smallest.nbytes)
        found = self._best(weights, Limits(budget.flash, budget.cycles))
        if found is None:
            raise BudgetError(f"no plan keeps the budgets: {self._what_is_missing(budget)}")
        return found

    def sums(self, chosen: Sequence[str]) -> Option:
        """Bytes of Flash and cycles of a choice."""
        options = [every[name] for every, name in zip(self.tensors, chosen, strict=True)]
        return Option(
            self.fixed_nbytes + sum(o.nbytes for o in options) + self._code(set(chosen)),
            sum(o.cycles for o in options),
        )

    def _code(self, used: set[str]) -> int:
        return sum((self.code_nbytes or {}).get(name, 0) for name in used)

    def _best(self, weights: Weights, limits: Limits) -> list[str] | None:
        """Of the best choices with every set of decoders, the best one.

        With the decoders given it is a knapsack problem. A set of which one is not used only costs
        more than the same choice with the smaller set.
        """
        best: tuple[tuple[int, int, int], list[str]] | None = None
        for possible in self._sets_of_formats():
            items = [
                [(name, option) for name, option in every.items() if name in possible]
                for every in self.tensors
            ]
            if not all(items):
                continue
            fixed = self.fixed_nbytes + self._code(possible)
            options = [[option for _, option in item] for item in items]
            least = sum(min(_weighted(o, weights) for o in item) for item in options)
            if best is not None and weights.nbytes * fixed + least > best[0][0]:
                continue
            flash = None if limits.nbytes is None else limits.nbytes - fixed
            chosen = best_choice(options, weights, Limits(flash, limits.cycles))
            if chosen is None:
                continue
            names = [item[i][0] for item, i in zip(items, chosen, strict=True)]
            sums = self.sums(names)
            key = (_weighted(sums, weights), *sums)
            if best is None or key < best[0]:
                best = key, names
        return None if best is None else best[1]

    def _sets_of_formats(self) -> Iterator[set[str]]:
        names = list(dict.fromkeys(chain.from_iterable(self.tensors)))
        costly = [name for name in names if self._code({name})]
        free = set(names).difference(costly)
        # With the largest sets first, bounds exclude most of the others.
        for n in range(len(costly), -1, -1):
            for some in combinations(costly, n):
                yield free.union(some)

    def _least(self, weights: Weights, limits: Limits | None = None) -> Option | None:
        """Sums of the best choice."""
        chosen = self._best(weights, limits or Limits())
        return None if chosen is None else self.sums(chosen)

    def _what_is_missing(self, budget: Budget) -> str:
        """The least that would have to be allowed: of either budget, the other one given."""
        flash, cycles = budget.flash, budget.cycles
        both = None not in (flash, cycles)
        smallest = self._least(Weights(1, 0), Limits(None, cycles))
        fastest = self._least(Weights(0, 1), Limits(flash, None))
        if smallest is None and fastest is None:
            each = (Budget(flash=flash), Budget(cycles=cycles))
            return "neither alone can be kept, " + " and ".join(map(self._what_is_missing, each))
        ways = []
        if flash is not None and smallest is not None:
            given = f" for {cycles} cycles" if both else ""
            more = smallest.nbytes - flash
            ways.append(
                f"allow at least {smallest.nbytes} bytes of Flash{given}, {more} more than {flash}"
            )
        if cycles is not None and fastest is not None:
            given = f" in {flash} bytes of Flash" if both else ""
            more = fastest.cycles - cycles
            ways.append(f"allow at least {fastest.cycles} cycles{given}, {more} more than {cycles}")
        return "; or ".join(ways)


def _weighted(option: Option, weights: Weights) -> int:
    return weights.nbytes * option.nbytes + weights.cycles * option.cycles
