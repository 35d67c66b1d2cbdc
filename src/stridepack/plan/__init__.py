# SPDX-License-Identifier: Apache-2.0
"""Which format for which tensor, and why.

`options.py` says what can be asked for, `rules.py` what stays dense, `smallest.py` takes the fewest
bytes for each tensor, and `within.py` plans a whole model within budgets: `choice.py` puts the
choice into numbers and `knapsack.py` solves it. Nothing here reads or writes files.

`stridepack.plan` is also the name of a public function, which hides this package as an attribute:
import from the modules, ``from stridepack.plan.smallest import plan``.
"""
