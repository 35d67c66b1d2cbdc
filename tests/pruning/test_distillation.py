# SPDX-License-Identifier: Apache-2.0
"""The loss of distillation."""

import pytest

torch = pytest.importorskip("torch", reason="the extra stridepack[torch] is not installed")

from torch.nn.functional import cross_entropy  # noqa: E402

import stridepack as sp  # noqa: E402
from stridepack.pruning import (  # noqa: E402
    distillation_loss,
)


def test_distillation_is_cross_entropy_without_a_teacher_and_nothing_from_an_equal_one():
    torch.manual_seed(0)
    logits, labels = torch.randn(8, 5), torch.randint(0, 5, (8,))
    other = torch.randn(8, 5)
    assert torch.equal(
        distillation_loss(logits, other, labels, weight=0), cross_entropy(logits, labels)
    )
    same = distillation_loss(logits, logits, labels, weight=1)
    assert float(same) == pytest.approx(0, abs=1e-6)
    assert distillation_loss(logits, other, labels, weight=1) > 0.1


@pytest.mark.parametrize("wrong", [{"weight": 1.5}, {"temperature": 0}])
def test_distillation_refuses_values_out_of_range(wrong):
    logits, labels = torch.randn(8, 5), torch.randint(0, 5, (8,))
    ((name, value),) = wrong.items()
    with pytest.raises(sp.InputError, match=f"`{name}={value}` is out of range"):
        distillation_loss(logits, logits, labels, **wrong)


def test_distillation_refuses_other_shapes():
    with pytest.raises(sp.InputError, match="the shape"):
        distillation_loss(torch.randn(8, 5), torch.randn(8, 4), torch.zeros(8, dtype=int))
