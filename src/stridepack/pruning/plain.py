# SPDX-License-Identifier: Apache-2.0
"""A plain copy of a torch module: no masks, no normalised weights, only layers."""

from __future__ import annotations

import copy
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize, prune
from torch.nn.utils.spectral_norm import SpectralNorm, remove_spectral_norm
from torch.nn.utils.weight_norm import WeightNorm, remove_weight_norm

from stridepack.errors import InputError
from stridepack.pruning.masks import own_class
from stridepack.pruning.weights import check_is_initialised

_WRAPPERS = (nn.parallel.DistributedDataParallel, nn.DataParallel)


def plain_copy(model: nn.Module) -> nn.Module:
    """A float32 copy on the CPU, in eval mode, without masks, its weights contiguous.

    litert-torch 0.10.0 must not see channels_last weights. It recognises constants it has met by
    their address; for weights in another order that is the address of a temporary copy, so now
    and then a convolution silently gets the weights of an earlier one of the same shape.
    """
    model = unwrapped(model)
    for name, parameter in model.named_parameters():
        check_is_initialised(name, parameter)
    plain = copy.deepcopy(model, _leaves(model)).cpu().eval()
    with torch.no_grad():
        for module in list(plain.modules()):
            _make_plain(module)
    plain.float()
    for parameter in plain.parameters():
        parameter.requires_grad_(False)
        parameter.data = parameter.data.contiguous().clone()
    _check_finite(plain)
    return plain


def unwrapped(model: nn.Module) -> nn.Module:
    """The model itself, where it is wrapped for several devices or by torch.compile."""
    while isinstance(model, _WRAPPERS) or hasattr(model, "_orig_mod"):  # the second: torch.compile
        model = cast(nn.Module, model._orig_mod if hasattr(model, "_orig_mod") else model.module)
    return model


def _leaves(model: nn.Module) -> dict[int, Any]:
    """A memo for deepcopy with the tensors that it refuses: those computed with gradients.

    torch.nn.utils.prune, weight_norm and recurrent layers keep such tensors as attributes.
    """
    memo = {}
    for module in model.modules():
        for value in module.__dict__.values():
            for tensor in value if isinstance(value, list | tuple) else (value,):
                if isinstance(tensor, Tensor) and not tensor.is_leaf:
                    memo[id(tensor)] = tensor.detach().clone()
    return memo


def _make_plain(module: nn.Module) -> None:
    """Make plain parameters of all that is computed from others: masks, normalised weights."""
    if parametrize.is_parametrized(module):
        own_class(module)
        for attribute in list(cast(nn.ModuleDict, module.parametrizations)):
            parametrize.remove_parametrizations(module, attribute, leave_parametrized=True)
    for hook in list(module._forward_pre_hooks.values()):
        if isinstance(hook, prune.BasePruningMethod):
            prune.remove(module, hook._tensor_name)  # type: ignore[no-untyped-call]
        elif isinstance(hook, WeightNorm):
            remove_weight_norm(module, hook.name)
        elif isinstance(hook, SpectralNorm):
            remove_spectral_norm(module, hook.name)


def _check_finite(model: nn.Module) -> None:
    """Refuse NaN and infinity in parameters and in the statistics of batch normalisation."""
    tensors: dict[str, Tensor] = dict(model.named_parameters())
    tensors |= {
        n: b for n, b in model.named_buffers() if n.endswith(("running_mean", "running_var"))
    }
    for name, tensor in tensors.items():
        if wrong := tensor.numel() - int(torch.isfinite(tensor).sum()):
            raise InputError(
                f"{name}: {wrong:,} of its {tensor.numel():,} values are NaN or infinite. Has the "
                "training diverged? Go back to a checkpoint from before."
            )
