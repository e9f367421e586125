"""The device that the tensors live on: the one place where the properties touch it.

A `stand_in.StandIn` comes in through here, too. Paddle is imported where it is needed: pytest's own
process, which outlives the workers, loads this module and must not die of a release.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Cpu:
    """No device: there is nothing to wait for, and nothing that can be spoiled."""

    place = "cpu"

    def open(self) -> None:
        """Tensors live here from now on."""
        import paddle

        paddle.set_device(self.place)
        if sys.platform == "win32" and self.place == "cpu":
            # Builds for GPUs ask cuDNN for its version when a convolution is made, on the CPU too,
            # and on Windows refuse without one: that is asked by `test_convolution.py`, and must
            # not take the other properties away. Nothing on the CPU uses the answer.
            device: Any = paddle.device
            device._cudnn_version = 0

    def synchronize(self) -> None:
        """Wait for all that was asked of the device. Raises the error that it came to, late."""

    def trouble(self) -> str | None:
        """What a small calculation says of the device; None where it is right."""
        return None

    def gibibytes(self) -> float | None:
        """The device's memory; None where it is not known."""
        return None


class Gpu(Cpu):
    """The first CUDA device that is visible."""

    place = "gpu"

    def synchronize(self) -> None:
        import paddle

        paddle.device.cuda.synchronize()

    def trouble(self) -> str | None:
        """After an asynchronous CUDA error every later call fails: the context is spoiled."""
        import paddle

        try:
            x = paddle.to_tensor([0.0, 1.0, 2.0, 3.0])
            doubled = (x + x).numpy().tolist()
            self.synchronize()
        except Exception as error:
            return f"{type(error).__name__}: {' '.join(str(error).split())}"
        return None if doubled == [0.0, 2.0, 4.0, 6.0] else f"[0, 1, 2, 3] doubled is {doubled}"

    def gibibytes(self) -> float | None:
        import paddle

        cuda: Any = paddle.device.cuda
        if not hasattr(cuda, "get_device_properties"):
            return None
        return float(cuda.get_device_properties().total_memory) / 2**30


@contextmanager
def as_installed() -> Iterator[None]:
    """Without the answer that `Cpu.open` gives to what asks for cuDNN."""
    import paddle

    device: Any = paddle.device
    given, device._cudnn_version = device._cudnn_version, None
    try:
        yield
    finally:
        device._cudnn_version = given


current: Cpu = Cpu()


def use(place: str, stand_in: str | None = None) -> None:
    """Open the device of this process."""
    global current  # one process, one device
    if stand_in is not None:
        from properties.protocol.stand_in import StandIn

        current = StandIn(stand_in)
    else:
        current = Cpu() if place == "cpu" else Gpu()
    current.open()


def synchronize() -> None:
    """Wait for the device. Raises the error that earlier calls came to."""
    current.synchronize()


def trouble() -> str | None:
    """What a small calculation says of the device; None where it is right."""
    return current.trouble()
