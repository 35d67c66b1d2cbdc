# SPDX-License-Identifier: Apache-2.0
"""Learning from the dense network while its weights are taken away."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from stridepack.errors import InputError


def distillation_loss(
    logits: Tensor,
    teacher_logits: Tensor,
    labels: Tensor,
    *,
    weight: float = 0.5,
    temperature: float = 2.0,
) -> Tensor:
    """Cross entropy with the labels and with a teacher's softened answers (Hinton et al. 2015).

    Parameters
    ----------
    logits, teacher_logits
        Of the model that learns and of the one that it learns from, (batch, classes). The teacher's
        have no gradient: compute them under `torch.no_grad()`.
    labels
        The right classes, (batch,).
    weight
        Of the teacher, from 0 (labels alone) to 1 (teacher alone).
    temperature
        Divides both logits, above 0; higher shows more of what the teacher thinks of wrong classes.

    Raises
    ------
    InputError
        On arguments outside their range, or logits of different shapes.
    """
    if not 0 <= weight <= 1:
        raise InputError(f"`weight={weight}` is out of range. It must be between 0 and 1.")
    if not temperature > 0:
        raise InputError(f"`temperature={temperature}` is out of range. It must be above 0.")
    if logits.shape != teacher_logits.shape:
        raise InputError(
            f"The model's logits have the shape {tuple(logits.shape)}, and the teacher's "
            f"{tuple(teacher_logits.shape)}. They must be equal."
        )
    # float: under AMP logits come as 16-bit numbers, whose differences are too coarse here
    logits, teacher_logits = logits.float(), teacher_logits.float()
    own = F.log_softmax(logits / temperature, dim=1)
    other = F.log_softmax(teacher_logits.detach() / temperature, dim=1)
    soft = F.kl_div(own, other, log_target=True, reduction="batchmean")
    # the square keeps the size of the gradients when the temperature changes
    return (1 - weight) * F.cross_entropy(logits, labels) + weight * temperature**2 * soft
