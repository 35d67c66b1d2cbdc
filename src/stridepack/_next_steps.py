# SPDX-License-Identifier: Apache-2.0
"""What to do with a model that is not int8 yet, in sentences for error messages.

docs/models.md shows the same as whole programs.
"""

_CONVERTER = (
    "with `optimizations = [tf.lite.Optimize.DEFAULT]`, a `representative_dataset` of a few "
    "hundred typical inputs, and "
    "`target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]`"
)
_STRIP = (
    "If it was pruned with tfmot, call `tfmot.sparsity.keras.strip_pruning(model)` before that, "
    "because the pruning wrappers keep the masks in the file."
)
_DOCUMENT = "docs/models.md has the whole program."

KERAS = (
    "Convert it to an int8 .tflite file with "
    f"`tf.lite.TFLiteConverter.from_keras_model(model)`, {_CONVERTER}. {_STRIP} Then pack the "
    f".tflite file. {_DOCUMENT}"
)
SAVED_MODEL = (
    "Convert it to an int8 .tflite file with "
    f"`tf.lite.TFLiteConverter.from_saved_model(folder)`, {_CONVERTER}. If it was pruned with "
    "tfmot, save it again after `tfmot.sparsity.keras.strip_pruning(model)`, because the pruning "
    f"wrappers keep the masks in the files. Then pack the .tflite file. {_DOCUMENT}"
)
TORCH = (
    "Load it into its model in Python, and write an int8 .tflite file with "
    '`stridepack.pruning.to_tflite(model, inputs, "model.tflite")`. The inputs are a few hundred '
    "typical ones, and `pip install 'stridepack[torch]'` installs what this needs. If it was "
    'pruned with `torch.nn.utils.prune`, call `prune.remove(layer, "weight")` for each pruned '
    f"layer before that. Then pack the .tflite file. {_DOCUMENT}"
)
FLOAT_TFLITE = (
    "Quantise the model to int8 first. Either convert it again with `tf.lite.TFLiteConverter`, "
    f"{_CONVERTER}. Or quantise the file itself with the package ai-edge-quantizer. {_DOCUMENT}"
)
FLOAT_ONNX = (
    "Quantise the model to int8 first with the package onnxruntime: "
    '`onnxruntime.quantization.quantize_static("float.onnx", "int8.onnx", reader, '
    "weight_type=QuantType.QInt8, per_channel=True)`, where the reader gives a few hundred typical "
    f"inputs. {_DOCUMENT}"
)
