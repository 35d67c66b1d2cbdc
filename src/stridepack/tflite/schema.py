# SPDX-License-Identifier: Apache-2.0
"""The schema of .tflite files, which comes with the tflite-micro wheel."""

from functools import cache
from typing import Any

from stridepack.errors import MissingDependencyError


def load_schema() -> Any:
    """The schema of TensorFlow Lite: a module with one class for each table.

    Raises
    ------
    MissingDependencyError
        When tflite-micro is not installed.
    """
    try:
        from tflite_micro.tensorflow.lite.micro.python import schema_py_generated
    except ImportError as error:
        raise MissingDependencyError(
            "Files that end in .tflite need the packages tflite-micro and flatbuffers. Install "
            "them with `pip install 'stridepack[tflite]'`."
        ) from error
    return schema_py_generated


@cache
def enum_names(enum: str) -> dict[int, str]:
    """The names of an enumeration of the schema, by their numbers."""
    members = vars(getattr(load_schema(), enum))
    return {value: name for name, value in members.items() if not name.startswith("_")}
