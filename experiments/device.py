# SPDX-License-Identifier: Apache-2.0
"""Where and how networks are trained: on the CPU, on one GPU or on several, by Lightning Fabric.

Several devices share each batch (DDP), so learning rates stay as they are. Batch normalisation
takes its statistics over the part of the batch that a device has.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from typing import Any

import torch
from lightning.fabric import Fabric
from lightning.fabric.utilities.exceptions import MisconfigurationException
from torch import Tensor, nn

from experiments.arguments import count, positive

PRECISIONS = {"float32": "32-true", "bfloat16": "bf16-mixed"}


@dataclasses.dataclass(frozen=True)
class Mode:
    """How the layers of a network are computed. Checkpoints do not depend on it."""

    precision: str = "float32"
    channels_last: bool = True
    compiled: bool = False

    @property
    def memory_format(self) -> torch.memory_format:
        return torch.channels_last if self.channels_last else torch.contiguous_format


# The fastest on a CPU that computes with bfloat16, by experiments/results/training_speed.jsonl. For
# the other networks it is float32, channels last, without a compiler.
ON_CPU = {"resnet8": Mode("bfloat16"), "resnet34": Mode("bfloat16")}


MORE_TO_DO = 3  # exit status


class TimeIsUp(SystemExit):
    """A run stopped after an epoch, because the next one would not end in the time it was given."""

    def __init__(self, state: str) -> None:
        if state:
            print(f"{state}, because the time is up; the same command goes on", flush=True)
        super().__init__(MORE_TO_DO)
        self.state = f"{state}, because the time is up"


class Limit:
    """A time limit of a whole process, which may train several networks."""

    def __init__(self, minutes: float | None) -> None:
        self._end = None if minutes is None else time.monotonic() + 60 * minutes

    def allows(self, seconds: float) -> bool:
        """Whether so much time is left."""
        return self._end is None or time.monotonic() + seconds <= self._end


class Trainer:
    """A `Fabric` on some devices, and the mode that suits a network there.

    Parameters
    ----------
    network
        The name of a recipe.
    accelerator, devices
        As Fabric has them: "auto" takes all GPUs, or else the CPU.
    precision
        "float32", "bfloat16", or "auto" for what is fastest.
    compiled, channels_last
        Whether layers go through `torch.compile`, and have channels last in memory; None for what
        is fastest.
    minutes
        The time after which no epoch must end any more.
    """

    def __init__(
        self,
        network: str,
        *,
        accelerator: str = "auto",
        devices: str = "auto",
        precision: str = "auto",
        compiled: bool | None = None,
        channels_last: bool | None = None,
        minutes: float | None = None,
    ) -> None:
        mode = self._fastest(network, accelerator)
        if precision != "auto":
            mode = dataclasses.replace(mode, precision=precision)
        given = {"compiled": compiled, "channels_last": channels_last}
        mode = dataclasses.replace(mode, **{k: v for k, v in given.items() if v is not None})
        self.mode, self.limit = mode, Limit(minutes)
        self._longest = 0.0
        try:
            self.fabric = Fabric(
                accelerator=accelerator,
                devices=devices if devices == "auto" else int(devices),
                precision=PRECISIONS[mode.precision],  # type: ignore[arg-type]
            )
        except (RuntimeError, ValueError, MisconfigurationException) as error:
            raise SystemExit(
                f"`--accelerator {accelerator} --devices {devices}` is not possible here: {error}"
            ) from error
        self.fabric.launch()

    @staticmethod
    def _fastest(network: str, accelerator: str) -> Mode:
        if accelerator != "cpu" and torch.cuda.is_available():
            return Mode("bfloat16" if torch.cuda.is_bf16_supported(False) else "float32")
        has_bfloat16 = torch.ops.mkldnn._is_mkldnn_bf16_supported()
        return ON_CPU.get(network, Mode()) if has_bfloat16 else Mode()

    @property
    def device(self) -> torch.device:
        return self.fabric.device

    @property
    def said(self) -> str:
        """Where it trains, and how.

        A PyTorch without CUDA takes the CPU of a machine with a GPU, and this is how one sees it.
        """
        n = self.fabric.world_size
        return f"{self.device.type}, {n} device{'s' * (n > 1)}, {self.mode.precision}"

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes files."""
        return self.fabric.is_global_zero

    def part(self, batch: int) -> slice:
        """This process's part of each batch.

        Raises
        ------
        SystemExit
            When the devices cannot have equal parts.
        """
        if batch % self.fabric.world_size:
            raise SystemExit(
                f"`--devices {self.fabric.world_size}`: a batch of {batch} images does not divide "
                "into equal parts. Give a number of devices that divides it."
            )
        return slice(self.fabric.global_rank, None, self.fabric.world_size)

    def setup(self, model: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[Any, Any]:
        """The model on the device, to be called in place of `model`, and the optimiser."""
        model.to(self.device, memory_format=self.mode.memory_format)  # type: ignore[call-overload]
        callee = torch.compile(model) if self.mode.compiled else model
        return self.fabric.setup(callee, optimizer)

    def ordered(self, x: Tensor) -> Tensor:
        """A batch in the order of memory that the mode has."""
        return x.contiguous(memory_format=self.mode.memory_format)

    def nearby(self, pixels: Tensor) -> Tensor:
        """The images on the device if they fit there, in half of what is free."""
        if self.device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(self.device)
            if 2 * pixels.nbytes <= free:
                return pixels.to(self.device)
        return pixels

    def check_time(self, state: str) -> None:
        """Stop all processes when an epoch as long as the longest so far would not end in time.

        Raises
        ------
        TimeIsUp
            With this state.
        """
        if not self.fabric.broadcast(self.limit.allows(self._longest)):
            raise TimeIsUp(state if self.is_first else "")

    def end_epoch(self, seconds: float) -> None:
        """Remember how long an epoch took."""
        self._longest = max(self._longest, seconds)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that say where and how to train, none of which a checkpoint depends on."""
    group = parser.add_argument_group("device")
    group.add_argument(
        "--accelerator", default="auto", help="cpu, cuda, ...; default: a GPU if any"
    )
    group.add_argument("--devices", default="auto", help="how many; default: all GPUs, or one CPU")
    group.add_argument("--precision", choices=("auto", *PRECISIONS), default="auto")
    group.add_argument("--compile", action=argparse.BooleanOptionalAction)
    group.add_argument(
        "--minutes", type=positive, help="stop after the last epoch that ends in so many minutes"
    )
    group.add_argument("--threads", type=count, help="of PyTorch on the CPU")


def trainer_of(options: argparse.Namespace) -> Trainer:
    """The trainer that the options ask for."""
    if options.threads:
        torch.set_num_threads(options.threads)
    return Trainer(
        options.network,
        accelerator=options.accelerator,
        devices=options.devices,
        precision=options.precision,
        compiled=options.compile,
        minutes=options.minutes,
    )
