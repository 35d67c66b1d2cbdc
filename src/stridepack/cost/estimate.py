# SPDX-License-Identifier: Apache-2.0
"""What decoding costs on a target, estimated from the blob: cycles, code and stack.

Cycles are a sum of costs times the counts of `work_of`. The costs are fitted to what
bench/m55 counted on an emulated Cortex-M55: exact instructions, weighed by a model of the core
alone (LLVM's, two cycles for a taken branch, a cycle for each lane of a gather or scatter). The
fit stays within 12 % of that model on tensors of networks with 2048 weights or more, and within
15 % on others that were tried (docs/benchmarks.md). The model itself knows neither wait states, nor
caches, nor contention on the bus. Weights in slow memory take longer: compare formats with it, and
leave a margin.

For all other cores there is no such model, so that instructions stand for cycles: bench/cores
counted them exactly, and the fit is as close. `unit_of` says which of the two it is.
"""

from typing import TypeVar

from stridepack._words import listed
from stridepack.cost import _fitted, _fitted_cores
from stridepack.cost.transforms import transform_cycles
from stridepack.cost.work import work_of
from stridepack.errors import InputError
from stridepack.packed import Packed

T = TypeVar("T")

CYCLES = _fitted.CYCLES | _fitted_cores.INSTRUCTIONS
MEMORY = _fitted.MEMORY | _fitted_cores.MEMORY


def targets() -> tuple[str, ...]:
    """Names of all targets.

    The Cortex-M55 is there with the runtime's Helium decoders, and with its scalar ones. riscv32 is
    RV32IMC, and riscv-v has vectors of 128 bits besides.

    >>> targets()[:4]
    ('cortex-m55', 'cortex-m55-scalar', 'riscv32', 'riscv-v')
    """
    return tuple(CYCLES)


def unit_of(target: str) -> str:
    """What `decode_cycles` counts on a target: "cycles", or "instructions".

    >>> unit_of("cortex-m55"), unit_of("riscv32")
    ('cycles', 'instructions')
    """
    return "instructions" if target in _fitted_cores.INSTRUCTIONS else "cycles"


def decode_cycles(packed: Packed, target: str) -> float | None:
    """Modelled cycles of `spk_decode_s8` on a blob, or its instructions: `unit_of` says which.

    Parameters
    ----------
    packed : Packed
    target : str
        One of `targets()`.

    Returns
    -------
    float or None
        None where nothing is known: a format that was never measured, or blobs with something
        that no measured blob had (hybrid: groups of more than 16 elements).

    Raises
    ------
    InputError
        For an unknown target.

    Examples
    --------
    >>> import numpy as np, stridepack as sp
    >>> weights = np.zeros(100_000, np.int8)
    >>> weights[::3] = 1
    >>> fast, small = sp.pack(weights, "psr"), sp.pack(weights, "bitmap")
    >>> decode_cycles(fast, "cortex-m55") < decode_cycles(small, "cortex-m55")
    True
    """
    costs = _of_target(CYCLES, target).get(packed.format, {})
    total = transform_cycles(packed, target)
    for name, count in work_of(packed).items():
        if count and name not in costs:
            return None
        total += costs.get(name, 0.0) * count
    return total


def decoder_nbytes(format: str, target: str) -> tuple[int, int] | None:
    """Bytes of code with its tables, and of stack, of the decoder of a format.

    Compiled by clang-19 -O3; without dispatcher, memset and memcpy. None where never measured.

    Raises
    ------
    InputError
        For an unknown target.
    """
    return _of_target(MEMORY, target).get(format)


def _of_target(table: dict[str, T], target: str) -> T:
    if target not in table:
        raise InputError(f"`target={target}` is unknown. Choose {listed(table)}.", target=target)
    return table[target]
