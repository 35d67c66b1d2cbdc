# SPDX-License-Identifier: Apache-2.0
"""A model with a step for each layer: layers are rounded in the order in which they run.

Each layer is rounded for the inputs that it has after those before it were rounded, and towards
the outputs that it had in the original model. So it also makes up for their errors, as far as it
can. Doing all layers at once, and repeating that, was measured to be worse than not doing it.
"""

from collections.abc import Callable, Sequence

from stridepack.plan.rules import SMALL
from stridepack.shrink.compensate import Compensator
from stridepack.shrink.data import Samples
from stridepack.shrink.draft import Draft, Rounded
from stridepack.shrink.grid import steps_of_rows
from stridepack.shrink.layers import Layer
from stridepack.shrink.statistics import Statistics, observe


class Builder:
    """Builds models of one original.

    Attributes
    ----------
    file : str
        Name of the model, for messages.
    original, draft : Draft
        Nobody changes the first one; the other one is as the original between two builds.
    layers : list of Layer
        Those that get a step. Layers with fewer than 2,048 weights get none, as they
        hardly count in the file but do in accuracy: they are rounded anew to the finest grid
        wherever a layer before them changed.
    obstacles : dict of str to str
        By name, why other weights stay as they are.
    """

    def __init__(self, model: bytes, file: str, samples: Samples, batch: int) -> None:
        self.original, self.draft = Draft(model, file), Draft(model, file)
        self.layers = [layer for layer in self.draft.layers if not is_small(layer)]
        self.obstacles = self.draft.obstacles
        self.file = file
        self._model = model
        self._samples = samples
        self._batch = batch
        # What became of a layer, by the steps of all layers up to it: plans often begin alike.
        self._known: dict[tuple[float | None, ...], Rounded] = {}

    def build(self, steps: Sequence[float], on_done: Callable[[], None]) -> bytes:
        """The model with a step for each of `layers`; 1 leaves a layer as it is."""
        if all(step == 1 for step in steps):
            return self._model
        step_of = dict(zip((layer.position for layer in self.layers), steps, strict=True))
        changed: list[Layer] = []
        begin: tuple[float | None, ...] = ()
        for layer in self.draft.layers:
            step = step_of.get(layer.position)
            begin = (*begin, step)
            refined = step is None and bool(changed) and layer.subgraph == 0
            if refined or (step is not None and step != 1):
                changed.append(layer)
                if begin not in self._known:
                    self._known[begin] = self._round(layer, step)
                self.draft.put(layer, self._known[begin])
            on_done()
        model = self.draft.to_bytes()
        for layer in changed:
            self.draft.take_back(layer)
        return model

    def _round(self, layer: Layer, step: float | None) -> Rounded:
        """A layer rounded for the draft as it is now; without a step, to the finest grid."""
        compensator = Compensator(layer, self.observe(layer))
        if step is None:
            return compensator.round_finely()
        return compensator.round(steps_of_rows(layer, step))

    def observe(self, layer: Layer) -> Statistics:
        """Statistics of a layer in the draft as it is now."""
        return observe(layer, self.original, self.draft, self._samples.inputs, self._batch)


def is_small(layer: Layer) -> bool:
    """Whether it has so few weights that it gets no step."""
    return layer.values.size < SMALL
