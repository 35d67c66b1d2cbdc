"""Operators that cannot read a tensor which a DECODE operator writes.

DECODE writes a tensor while the model runs. Some operators need their weights earlier, or hand them
on to where no DECODE has run.
"""

from stridepack.tflite.model import Model, Operator

# What was found in the Prepare functions of TensorFlow Lite Micro's kernels, and of CMSIS-NN's.
_AT_START = "needs it while the interpreter starts, before anything is decoded"
_PASSES_ON = "passes it on to another subgraph"
_NEEDS_CONSTANTS = {
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _AT_START,
    "SVDF": _AT_START,
    "IF": _PASSES_ON,
    "WHILE": _PASSES_ON,
}


def why_constant(model: Model, operator: Operator, index: int) -> str:
    """Why an operator needs its weights to be constant; empty where it does not.

    Parameters
    ----------
    model : Model
    operator : Operator
    index : int
        Of the operator in its subgraph, for the message.
    """
    name = model.operator_name(operator)
    if name in _NEEDS_CONSTANTS:
        return f"{name} #{index} {_NEEDS_CONSTANTS[name]}"
    if model.is_custom(operator):
        return f"the custom operator {name} #{index} reads it and may need a constant"
    return ""
