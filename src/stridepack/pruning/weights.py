# SPDX-License-Identifier: Apache-2.0
"""Which tensors of a torch module are weights that can be pruned, and which of them are chosen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from stridepack.errors import InputError
from stridepack.pruning.levels import Grid
from stridepack.pruning.masks import mask_of, original, steps_of

_NORMALISED = ("weight_g", "weight_u")  # what the older weight_norm and spectral_norm add


class Weight(NamedTuple):
    """A weight tensor of a model: the parameter `attribute` of `module`."""

    module: nn.Module
    attribute: str

    def parameter(self) -> Tensor:
        """The parameter itself, behind the mask where there is one."""
        if parametrize.is_parametrized(self.module, self.attribute):
            return original(self.module, self.attribute)
        return cast(Tensor, getattr(self.module, self.attribute))

    def value(self) -> Tensor:
        """What the model computes with."""
        return cast(Tensor, getattr(self.module, self.attribute)).detach().as_subclass(Tensor)

    def outputs_first(self, values: Tensor) -> Tensor:
        """A view of values of the weight's shape, with the output channels first."""
        if isinstance(self.module, nn.modules.conv._ConvTransposeNd):
            return values.transpose(0, 1)
        return values


def weights_of(model: nn.Module) -> dict[str, Weight]:
    """The weights of convolutions, linear, recurrent, attention and embedding layers, by name."""
    return {
        f"{name}.{attribute}" if name else attribute: Weight(module, attribute)
        for name, module in model.named_modules()
        for attribute in _attributes(module)
    }


def _attributes(module: nn.Module) -> Iterator[str]:
    if isinstance(module, nn.Linear | nn.modules.conv._ConvNd | nn.Embedding):
        yield "weight"
    elif isinstance(module, nn.MultiheadAttention):
        names = ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight")
        yield from (name for name in names if getattr(module, name, None) is not None)
    elif isinstance(module, nn.RNNBase):
        yield from (name for name in module._flat_weights_names if name.startswith("weight"))
    elif isinstance(module, nn.RNNCellBase):
        yield from ("weight_ih", "weight_hh")


def choose(model: nn.Module, larger_than: int, exclude: str | Iterable[str]) -> dict[str, Weight]:
    """The weights of a model that are to be pruned, by name; each is a parameter or has a mask."""
    excluded = (exclude,) if isinstance(exclude, str) else tuple(exclude)
    weights = weights_of(model)
    check_names("exclude", excluded, model, weights)
    chosen = {}
    for name, weight in weights.items():
        if any(is_within(name, other) for other in excluded):
            continue
        check_is_initialised(name, weight.module._parameters.get(weight.attribute))
        if weight.value().numel() > larger_than:
            _check_is_free(name, weight)
            chosen[name] = weight
    _check_not_shared(model, chosen)
    if not chosen:
        raise InputError(
            f"The model has no convolution or linear layer with more than {larger_than} weights, "
            "nor a recurrent, attention or embedding layer. Choose a smaller `larger_than`."
        )
    return chosen


def is_within(name: str, other: str) -> bool:
    """Whether a weight is the one called `other`, or belongs to the module of that name."""
    return other in ("", name) or name.startswith(f"{other}.")


def check_names(
    option: str, names: Iterable[str], model: nn.Module, weights: Mapping[str, Weight]
) -> None:
    """Refuse names that neither a module nor a weight has."""
    modules = [name for name, _ in model.named_modules() if name]
    if unknown := sorted(set(names) - {"", *modules, *weights}):
        shown = ", ".join(modules[:20]) + (", ..." if len(modules) > 20 else "")
        raise InputError(
            f"`{option}` names {unknown}, but the model has no such module. It has {shown}."
        )


def check_is_initialised(name: str, tensor: Tensor | None) -> None:
    """Refuse the parameters of lazy modules that have not met an input yet."""
    if tensor is not None and torch.nn.parameter.is_lazy(tensor):
        raise InputError(
            f"{name} has no shape yet, because its module is lazy. Run the model on one input "
            "first."
        )


def _check_is_free(name: str, weight: Weight) -> None:
    """Refuse a weight that something else computes already."""
    module, attribute = weight
    if f"{attribute}_orig" in module._parameters and f"{attribute}_mask" in module._buffers:
        raise InputError(
            f"{name} has a mask of torch.nn.utils.prune already. Make its zeros part of the weight "
            f"with `torch.nn.utils.prune.remove(module, {attribute!r})`, or exclude the module."
        )
    if attribute in module._parameters or mask_of(module, attribute) is not None:
        return
    check_has_no_grid(name, weight)
    raise InputError(
        f"{name} has a parametrization already, which is not a pruning mask, such as weight "
        "normalisation. Remove it, for example with "
        f"`torch.nn.utils.parametrize.remove_parametrizations(module, {attribute!r})` or "
        "`torch.nn.utils.remove_weight_norm(module)`, or exclude the module."
    )


def check_has_no_grid(name: str, weight: Weight) -> None:
    """Refuse a weight that a GridQuantizer rounds already."""
    if any(isinstance(step, Grid) for step in steps_of(*weight)):
        raise InputError(
            f"{name} is on the grid of a GridQuantizer already, and a model can have only one. Use "
            "that one, or call its `remove()` first. A MagnitudePruner must be created before it."
        )


def _check_not_shared(model: nn.Module, chosen: Mapping[str, Weight]) -> None:
    """Refuse to prune a parameter that another module has as well, such as tied embeddings."""
    names: dict[int, list[str]] = {}
    for name, module in model.named_modules():
        for attribute, parameter in module._parameters.items():
            if parameter is not None:
                path = f"{name}.{attribute}" if name else attribute
                names.setdefault(id(parameter), []).append(path)
    for name, weight in chosen.items():
        owners = names.get(id(weight.parameter()), [])
        if len(owners) > 1:
            first, second = (path.rpartition(".")[0] or path for path in owners[:2])
            raise InputError(
                f"{first} and {second} share one weight. Exclude both, or give each a weight of "
                f"its own. ({name} would be pruned.)"
            )
