# SPDX-License-Identifier: Apache-2.0
"""Operators that cannot read a tensor which a DECODE operator writes.

DECODE writes a tensor while the model runs. Some operators need their weights earlier, or hand them
on to where no DECODE has run.
"""

from stridepack.tflite.model import Model, Operator

# What was found in the Prepare functions of TensorFlow Lite Micro's kernels, and of CMSIS-NN's. Of
# the first ones, only CMSIS-NN's kernels need constants: they sum up weights.
_AT_START = ("UNIDIRECTIONAL_SEQUENCE_LSTM", "SVDF")
CMSIS_NN_ONLY = "if it is CMSIS-NN's"
_PASSES_ON = ("IF", "WHILE")


def why_constant(
    model: Model, operator: Operator, index: int, *, reference_kernels: bool = False
) -> str:
    """Why an operator needs its weights to be constant; empty where it does not.

    Parameters
    ----------
    model : Model
    operator : Operator
    index : int
        Of the operator in its subgraph, for the message.
    reference_kernels : bool
        Whether TensorFlow Lite Micro's own kernels are used, and not CMSIS-NN's.
    """
    name = model.operator_name(operator)
    if name in _AT_START and not reference_kernels:
        return (
            f"{name} #{index} needs it while the interpreter starts, before anything is decoded, "
            f"{CMSIS_NN_ONLY}"
        )
    if name in _PASSES_ON:
        return f"{name} #{index} passes it on to another subgraph"
    if model.is_custom(operator):
        return f"the custom operator {name} #{index} reads it and may need a constant"
    return ""
