# SPDX-License-Identifier: Apache-2.0
"""Masks on weights: torch parametrizations, so that the optimiser keeps its parameters.

`state_dict` holds the masks, and so a checkpoint resumes where it was.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from stridepack.errors import InputError


class MaskedWeight(Tensor):
    """The product of a weight and its mask, which refuses to be changed in place.

    It is computed anew whenever it is asked for, so the change would be lost without a word.
    """

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        target = args[0] if args else (kwargs or {}).get("tensor")  # torch.nn.init names it
        if isinstance(target, MaskedWeight) and _writes(name):
            raise InputError(
                f"`{name}` would change a pruned weight in place, which has no effect, because it "
                "is computed from a parameter and a mask. Change the parameter, "
                "`module.parametrizations.weight.original`, or assign `module.weight = values`."
            )
        with torch._C.DisableTorchFunctionSubclass():
            result = func(*args, **(kwargs or {}))
        is_view = name in _VIEWS or func == _DATA
        return result.as_subclass(MaskedWeight) if is_view else result


_VIEWS = ("__getitem__", "detach", "flatten", "view")
_DATA = Tensor.data.__get__  # type: ignore[attr-defined]  # of `weight.data`


def _writes(name: str) -> bool:
    if name.startswith("__"):
        return name in ("__setitem__", "__iadd__", "__isub__", "__imul__", "__itruediv__")
    return name.endswith("_") and name != "requires_grad_"


class Mask(nn.Module):
    """The parametrization weight -> weight where `mask` is 1, and 0 elsewhere.

    `mask` is a buffer of the weight's shape and type. Averages of models over time may average
    their buffers too, and then hold fractions: a weight that was pruned at any time since the
    averaging began stays pruned, and never comes back as a fraction of itself.
    """

    mask: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        # A buffer of the weight's own memory format, so that channels_last stays channels_last.
        self.register_buffer("mask", torch.ones_like(weight, requires_grad=False))

    def kept(self) -> Tensor:
        """True where the weight stays."""
        return self.mask == 1

    def n_zeros(self) -> int:
        """The number of pruned elements."""
        return self.mask.numel() - int(torch.count_nonzero(self.kept()))

    def forward(self, weight: Tensor) -> Tensor:
        masked = weight * self.kept()
        traced = torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None
        return masked if traced else masked.as_subclass(MaskedWeight)

    def right_inverse(self, weight: Tensor) -> Tensor:
        return weight


def steps_of(module: nn.Module, attribute: str) -> list[nn.Module]:
    """The parametrizations of a tensor of a module, in their order: masks, grids and others."""
    if not parametrize.is_parametrized(module, attribute):
        return []
    chain = cast(nn.ModuleDict, module.parametrizations)[attribute]
    return list(cast(nn.ModuleList, chain))


def mask_of(module: nn.Module, attribute: str) -> Mask | None:
    """The mask on a tensor of a module, where it has one."""
    return next((step for step in steps_of(module, attribute) if isinstance(step, Mask)), None)


def original(module: nn.Module, attribute: str) -> nn.Parameter:
    """The parameter behind the mask."""
    chain = cast(nn.ModuleDict, module.parametrizations)[attribute]
    return cast(nn.Parameter, chain.original)


def add_mask(module: nn.Module, attribute: str, mask: Mask | None = None) -> Mask:
    """Put a mask, of ones unless one is given, on a parameter; the parameter object stays."""
    parameter = getattr(module, attribute)
    mask = mask or Mask(parameter)
    # torch would call `set_` on the parameter, which cuts off the hooks of a
    # DistributedDataParallel around it. It gets a stand-in, and then the parameter.
    setattr(module, attribute, nn.Parameter(torch.empty_like(parameter), parameter.requires_grad))
    parametrize.register_parametrization(module, attribute, mask, unsafe=True)
    cast(nn.ModuleDict, module.parametrizations)[attribute].original = parameter
    if isinstance(module, nn.RNNBase):
        _forget_flat_weights(module)
        if _forget_flat_weights not in module._forward_hooks.values():
            module.register_forward_hook(_forget_flat_weights)
    masked = cast(Any, type(module))  # torch made it for this module only
    masked.__reduce_ex__ = _reduce
    if hasattr(module, "reset_parameters"):
        masked.reset_parameters = _reset_parameters
    return mask


@torch.no_grad()
def remove_mask(module: nn.Module, attribute: str) -> None:
    """Write the zeros into the parameter, which stays the same object, and drop the mask."""
    own_class(module)
    original(module, attribute).copy_(getattr(module, attribute))
    parametrize.remove_parametrizations(module, attribute, leave_parametrized=False)
    if isinstance(module, nn.RNNBase) and not parametrize.is_parametrized(module):
        hooks = module._forward_hooks
        for key in [key for key, hook in hooks.items() if hook is _forget_flat_weights]:
            del hooks[key]


def own_class(module: nn.Module) -> None:
    """Give a parametrized module a class of its own.

    A copy shares the class that torch made for its original, and whoever removes a mask first
    deletes the property from it.
    """
    shared = type(module)
    module.__class__ = type(shared.__name__, shared.__bases__, dict(shared.__dict__))


def _forget_flat_weights(module: nn.Module, *_: Any) -> None:
    """Drop a recurrent layer's list of masked weights, which it makes anew in each forward pass.

    They belong to the graph of a backward pass, and a module that holds them cannot be copied.
    """
    recurrent = cast(nn.RNNBase, module)
    recurrent._flat_weights = [None] * len(recurrent._flat_weights_names)


def _unmasked(module: nn.Module) -> tuple[nn.Module, dict[str, Mask]]:
    """The module as it is without masks, sharing its parameters; and its masks."""
    masks = {}
    plain: nn.Module = object.__new__(type(module).__bases__[0])
    plain.__dict__ = dict(module.__dict__)
    plain._parameters = dict(module._parameters)
    plain._modules = {name: m for name, m in module._modules.items() if name != "parametrizations"}
    for attribute in cast(nn.ModuleDict, module.parametrizations):
        mask, chain = mask_of(module, attribute), module.parametrizations[attribute]  # type: ignore[index]
        if mask is None or len(cast(nn.ModuleList, chain)) > 1:
            raise InputError(
                f"This {type(plain).__name__} has another parametrization besides a mask, on "
                f"`{attribute}`. Save `model.state_dict()` instead of the model."
            )
        masks[attribute] = mask
        plain._parameters[attribute] = original(module, attribute)
    return plain, masks


def _reset_parameters(module: nn.Module) -> None:
    """Initialise what is behind the masks. torch would initialise a product that nobody keeps."""
    _unmasked(module)[0].reset_parameters()  # type: ignore[operator]


def _reduce(module: nn.Module, protocol: int) -> tuple[Any, ...]:
    """For pickle, and so for `torch.save(model)`: torch refuses modules with parametrizations."""
    plain, masks = _unmasked(module)
    if isinstance(plain, nn.RNNBase):
        plain._forward_hooks = plain._forward_hooks.copy()
        for key, hook in module._forward_hooks.items():
            if hook is _forget_flat_weights:
                del plain._forward_hooks[key]
    return _masked, (plain, masks)


def _masked(plain: nn.Module, masks: dict[str, Mask]) -> nn.Module:
    for attribute, mask in masks.items():
        add_mask(plain, attribute, mask)
    return plain
