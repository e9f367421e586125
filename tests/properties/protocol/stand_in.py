"""A device that is not there, for tests: the installed release's CPU, with a fault.

A record that is made with it carries `stand_in` and is never published.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np
import paddle

from properties.mutants.faults import SELECT, Function, Tensor, stale, with_call
from properties.mutants.replacement import put_in_place
from properties.protocol.device import Gpu

FAULTS = {  # with what CUDA says of each
    "sound": "",
    "unwritten": "",
    "crash": "",
    "spoiled": "(External) CUDA error(700), an illegal memory access was encountered.",
    "asserts": "(External) CUDA error(719), unspecified launch failure.",
    "overruns": "(External) CUDA error(700), an illegal memory access was encountered.",
    "exit": "",
    "no-kernel-image": "(External) CUDA error(209), no kernel image is available for execution on "
    "the device.",
    "driver-too-old": "(External) CUDA error(35), CUDA driver version is insufficient for CUDA "
    "runtime version.",
    "too-little-memory": "(ResourceExhausted) Out of memory error on GPU 0. Cannot allocate "
    "256.000000MB memory on GPU 0.",
    "in-use": "(External) CUDA error(46), all CUDA-capable devices are busy or unavailable.",
}
AT_THE_PROBE = ("no-kernel-image", "driver-too-old", "too-little-memory", "in-use")


class StandIn(Gpu):
    """What the properties take for a GPU. Raises KeyError for a fault that there is not."""

    def __init__(self, fault: str) -> None:
        self.fault, self.words = fault, FAULTS[fault]
        self.spoiled = False
        self.filled_with = 0.0  # memory, last
        self.here = True  # not while somebody asks the CPU

    def open(self) -> None:
        if self.fault == "exit":
            os._exit(255)  # as releases do where they see no device: no exception to catch
        if self.fault in AT_THE_PROBE:
            raise OSError(self.words)
        paddle.set_device("cpu")
        self.stand_in_for_the_device()

    def synchronize(self) -> None:
        if self.spoiled:
            raise OSError(self.words)

    def gibibytes(self) -> float:
        return 2.0

    def stand_in_for_the_device(self) -> None:
        """Put the fault in, and what a GPU has and the CPU has not: an allocator that caches."""
        faults: dict[str, Function] = {
            "paddle.set_device": self.set_device,
            "paddle.full": self.full,
            "paddle.empty": self.empty,
            "paddle.to_tensor": self.to_tensor,
            SELECT: self.masked_select,
            "paddle.nn.functional.cross_entropy": self.cross_entropy,
        }
        for target, fault in faults.items():
            put_in_place(target, partial(with_call, fault))
        paddle.get_device = lambda: "gpu:0" if self.here else "cpu"
        cuda: Any = paddle.device.cuda
        cuda.Stream, cuda.stream_guard = object, nullcontext  # one after the other
        cuda.synchronize = self.synchronize

    def set_device(self, true: Function, place: str) -> Any:
        """Say that tensors live there from now on; they stay on the CPU."""
        self.here = place != "cpu"
        return true("cpu")

    def full(self, true: Function, shape: Any, value: Any, *args: Any, **kwargs: Any) -> Tensor:
        """Remember what memory was filled with."""
        self.filled_with = value
        return true(shape, value, *args, **kwargs)

    def empty(self, true: Function, *args: Any, **kwargs: Any) -> Tensor:
        """Hand out the memory that was filled last."""
        return self.unwritten(true(*args, **kwargs))

    def to_tensor(self, true: Function, *args: Any, **kwargs: Any) -> Tensor:
        """Fail once the context is spoiled."""
        self.synchronize()
        return true(*args, **kwargs)

    def unwritten(self, output: Tensor) -> Tensor:
        """The output of a kernel that never ran (PaddlePaddle/Paddle#44181)."""
        return stale(output, np.full(1, float(self.filled_with)).view(np.uint8))

    def masked_select(
        self, true: Function, x: Tensor, mask: Tensor, name: str | None = None
    ) -> Tensor:
        """Write nothing, die of float64, or leave an asynchronous error behind int64.

        That answer looks right, and no call after it works.
        """
        if self.fault == "crash" and x.dtype == paddle.float64:
            os.abort()
        selected = true(x, mask, name)
        if self.fault == "spoiled" and x.dtype == paddle.int64:
            self.spoiled = True
        if self.fault == "unwritten" and self.here and paddle.in_dynamic_mode():
            return self.unwritten(selected)
        return selected

    def cross_entropy(self, true: Function, logits: Tensor, label: Tensor, **named: Any) -> Tensor:
        """End the context where a label is out of range.

        The kernel does so by an assertion of its own, as in PaddlePaddle/PaddleOCR#8635
        ("asserts"), or because it reads outside its memory ("overruns").
        """
        if self.fault in ("asserts", "overruns") and paddle.in_dynamic_mode():
            labels = label.numpy()
            outside = (labels < 0) | (labels >= logits.shape[-1])
            if (outside & (labels != named.get("ignore_index", -100))).any():
                self.spoiled = True
                if self.fault == "asserts":  # its words go where the process prints
                    os.write(1, b"Error: Assertion `label >= 0 && label < n_classes` failed.\n")
                raise OSError(self.words)
        return true(logits, label, **named)
