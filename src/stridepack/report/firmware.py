# SPDX-License-Identifier: Apache-2.0
"""`pack` to .tflite: what the firmware must do."""

import datetime

from stridepack._words import counted
from stridepack.tflite.firmware import Firmware


def firmware_sentences(firmware: Firmware) -> list[str]:
    """Which operator to register, and with which version of TensorFlow Lite Micro."""
    n = firmware.n_operators
    more = f", which is {firmware.n_more} more than before" if firmware.n_more else ""
    register = (
        f"In the firmware: call `{firmware.call}`, and give the `MicroMutableOpResolver` room for "
        f"{counted(n, 'kind')} of operators{more}."
    )
    if firmware.since:
        date = datetime.date.fromisoformat(firmware.since)
        version = (
            f"TensorFlow Lite Micro must be from {date.day} {date:%B %Y} or later. Earlier "
            "versions need `--decoder stridepack`."
        )
    else:
        version = (
            "`stridepack runtime DIRECTORY --tflm --model OUTPUT` writes the code for it, where "
            "OUTPUT is the packed file. It works with every version of TensorFlow Lite Micro since "
            "2021."
        )
    return [f"{register} {version}"]
