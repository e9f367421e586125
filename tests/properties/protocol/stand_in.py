"""A device that is not there: the installed release's CPU with a fault, for the harness's tests.

What is recorded with it carries `stand_in` and is never published.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import paddle

from properties.protocol.device import Gpu

Tensor = Any  # paddle carries no types
Function = Callable[..., Any]

GIBIBYTES = 2.0
AT_THE_PROBE = {  # in CUDA's own words
    "no-kernel-image": "(External) CUDA error(209), no kernel image is available for execution on "
    "the device.",
    "driver-too-old": "(External) CUDA error(35), CUDA driver version is insufficient for CUDA "
    "runtime version.",
    "too-little-memory": "(ResourceExhausted) Out of memory error on GPU 0. Cannot allocate "
    "256.000000MB memory on GPU 0.",
    "in-use": "(External) CUDA error(46), all CUDA-capable devices are busy or unavailable.",
}
SPOILED = "(External) CUDA error(700), an illegal memory access was encountered."
ASSERTED = "(External) CUDA error(719), unspecified launch failure."
FAULTS = ("sound", "unwritten", "crash", "spoiled", "asserts", "overruns", "exit", *AT_THE_PROBE)
ENDS_THE_CONTEXT = {"asserts": ASSERTED, "overruns": SPOILED}  # what a label out of range does


class StandIn(Gpu):
    """What the properties take for a GPU."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.spoiled = False
        self.stale = 0.0  # what memory was filled with last
        self.here = True  # not while somebody asks the CPU

    def open(self) -> None:
        if self.fault == "exit":
            os._exit(255)  # as releases do where they see no device: no exception to catch
        if self.fault in AT_THE_PROBE:
            raise OSError(AT_THE_PROBE[self.fault])
        paddle.set_device("cpu")
        self.stand_in_for_the_device()

    def synchronize(self) -> None:
        if self.spoiled:
            raise OSError(SPOILED)

    def gibibytes(self) -> float:
        return GIBIBYTES

    def stand_in_for_the_device(self) -> None:
        """Put the fault in, and what a GPU has and the CPU has not: an allocator that caches."""
        from properties.mutants import (
            catalogue,  # it holds every module of the properties, this one too
        )

        replaced = {
            "paddle.set_device": self.going_to,
            "paddle.full": self.remembering,
            "paddle.empty": self.handing_out_again,
            "paddle.to_tensor": self.failing_once_spoiled,
            "paddle.masked_select": self.faulty(),
            "paddle.nn.functional.cross_entropy": self.asserting,
        }
        for target, factory in replaced.items():
            catalogue.put_in_place(target, factory)
        paddle.get_device = lambda: "gpu:0" if self.here else "cpu"
        cuda: Any = paddle.device.cuda
        cuda.Stream, cuda.stream_guard = object, nullcontext  # one after the other
        cuda.synchronize = self.synchronize

    def going_to(self, true: Function) -> Function:
        def set_device(place: str) -> Any:
            self.here = place != "cpu"
            return true("cpu")

        return set_device

    def remembering(self, true: Function) -> Function:
        def full(shape: Any, value: Any, *args: Any, **kwargs: Any) -> Tensor:
            self.stale = value
            return true(shape, value, *args, **kwargs)

        return full

    def handing_out_again(self, true: Function) -> Function:
        def empty(shape: Any, dtype: Any = None, name: Any = None) -> Tensor:
            return self.unwritten_memory(true(shape, dtype, name))

        return empty

    def failing_once_spoiled(self, true: Function) -> Function:
        def to_tensor(*args: Any, **kwargs: Any) -> Tensor:
            self.synchronize()
            return true(*args, **kwargs)

        return to_tensor

    def unwritten_memory(self, like: Tensor) -> Tensor:
        """A tensor of the same shape and dtype that holds what memory was filled with last."""
        held = np.zeros_like(like.numpy())
        raw = np.resize(np.full(1, float(self.stale)).view(np.uint8), held.nbytes)
        like.set_value(raw.view(held.dtype).reshape(held.shape))
        return like

    def faulty(self) -> Callable[[Function], Function]:
        """The factory of this fault's `masked_select`."""
        faults = {"unwritten": self.unwritten, "crash": self.crashing, "spoiled": self.spoiling}
        return faults.get(self.fault, lambda true: true)

    def unwritten(self, true: Function) -> Function:
        """The kernel never ran (PaddlePaddle/Paddle#44181)."""

        def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
            selected = true(x, mask, name)
            wrong = self.here and paddle.in_dynamic_mode()
            return self.unwritten_memory(selected) if wrong else selected

        return masked_select

    def crashing(self, true: Function) -> Function:
        """The process dies of float64."""

        def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
            if "float64" in str(x.dtype) or "FP64" in str(x.dtype):
                os.abort()
            return true(x, mask, name)

        return masked_select

    def spoiling(self, true: Function) -> Function:
        """An asynchronous error of int64: the answer looks right, and no call after it works."""

        def masked_select(x: Tensor, mask: Tensor, name: str | None = None) -> Tensor:
            self.spoiled = self.spoiled or "int64" in str(x.dtype) or "INT64" in str(x.dtype)
            return true(x, mask, name)

        return masked_select

    def asserting(self, true: Function) -> Function:
        """Of a label out of range the kernel ends the context: by an assertion, as in
        PaddlePaddle/PaddleOCR#8635, or because it reads beyond the memory.
        """

        def cross_entropy(logits: Tensor, label: Tensor, *args: Any, **kwargs: Any) -> Tensor:
            if self.fault in ENDS_THE_CONTEXT and paddle.in_dynamic_mode():
                labels = label.numpy()
                outside = (labels < 0) | (labels >= logits.shape[-1])
                if (outside & (labels != kwargs.get("ignore_index", -100))).any():
                    self.spoiled = True
                    raise OSError(ENDS_THE_CONTEXT[self.fault])
            return true(logits, label, *args, **kwargs)

        return cross_entropy
