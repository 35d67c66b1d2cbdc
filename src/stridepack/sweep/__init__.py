# SPDX-License-Identifier: Apache-2.0
"""Many points, each of them a piece of work on its own, on an engine that exists.

A point is a dictionary of plain values, such as a model and a sparsity. The engine is Dask:
processes of this machine, a cluster that runs somewhere, or jobs of SLURM. Every finished point is
a line of the results at once, and a later run leaves it out.

`points` makes points; `results` reads and writes the lines; `engines` runs functions; `run` puts
these together; `remote` reads and writes files by their addresses; `models` is the work that
`stridepack sweep` does.
"""

from stridepack.sweep.engines import Here, cluster, local_processes, slurm
from stridepack.sweep.points import grid
from stridepack.sweep.run import Summary, run

__all__ = ["Here", "Summary", "cluster", "grid", "local_processes", "run", "slurm"]
