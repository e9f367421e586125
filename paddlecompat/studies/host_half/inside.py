"""Runs inside a release, on the made-up driver: what is called, and what comes of it.

`python inside.py calls NUMBER | failing | training ASSIGNER`, each in a process of its own, tells
the driver's log what it is about to do, in marks of JSON. Its own answers are a line of JSON each.
CPython 3.9 and no package but Paddle and NumPy; `training` wants the properties on its path.
"""

from __future__ import annotations

import ctypes
import json
import re
import sys
from typing import Any, Callable

import numpy as np
import paddle

DRIVER = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
SIZES = (0, 1, 3, 1023, 1024, 1025, 3000, 262144, 262145, 300000)
MASKS: dict[str, Any] = {
    "all False": lambda size: np.zeros(size, bool),
    "all True": lambda size: np.ones(size, bool),
    "every third": lambda size: np.arange(size) % 3 == 0,
}
DTYPES = ("float32", "float64", "int32", "int64")
Tensor = Any


def mark(step: str, **told: object) -> None:
    """Say in the driver's log what comes next."""
    DRIVER.made_up_mark(json.dumps({"step": step, **told}).encode())


def bring(operator: str = "", mask: np.ndarray | None = None) -> None:
    """Have the driver say what the kernels would have found of a mask; None: what memory holds."""
    any_or_none, count = (-1, -1) if mask is None else (int(mask.any()), int(mask.sum()))
    if operator == "x[mask]" and any_or_none >= 0 and paddle.__version__.startswith("2.3."):
        any_or_none = 1 - any_or_none  # 2.3 asks whether there is none
    DRIVER.made_up_bring(ctypes.c_longlong(any_or_none), ctypes.c_longlong(count))


def made(array: np.ndarray, leaf: bool = False) -> Tensor:
    return paddle.to_tensor(array, stop_gradient=not leaf)


def assigned(target: Tensor, mask: Tensor, value: Any) -> Tensor:
    """A copy of `target`, after `copy[mask] = value`: Paddle writes into no leaf."""
    copy = target.clone()
    copy[mask] = value
    return copy


def operators() -> dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]]:
    """The functions of the family that the release has, each of x, a mask, and an index."""
    found: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
        "masked_select": lambda x, mask, index: paddle.masked_select(x, mask),
        "nonzero": lambda x, mask, index: paddle.nonzero(mask),
        "x[mask]": lambda x, mask, index: x[mask],
        "where": lambda x, mask, index: paddle.where(mask, x, x + x),
        "x[mask] = 77": lambda x, mask, index: assigned(x, mask, 77),
        "gather_nd": lambda x, mask, index: paddle.gather_nd(x, index),
    }
    if hasattr(paddle, "masked_fill"):
        found["masked_fill"] = lambda x, mask, index: paddle.masked_fill(x, mask, 77)
    return found


def cases() -> list[tuple[str, str, int, str]]:
    """Operator, dtype, elements and mask of each call; what is likely to fail stands last."""
    found = []
    for operator in operators():
        dtypes = {"masked_select": DTYPES, "nonzero": ("bool", *DTYPES)}.get(operator, DTYPES[:1])
        for dtype in dtypes:
            for size in SIZES:
                found += [
                    (operator, dtype, size, name) for name in (MASKS if size else ["all True"])
                ]
    return sorted(found, key=lambda case: (case[2] == 0, case[3] == "all False"))


def call_each(begin: str) -> None:
    """Call each function over the shapes, masks and dtypes, forward and backward.

    Begins with the case of this number, and ends after the first that raises: its error may stay
    with the runtime, and would be taken for one of the next.
    """
    functions = operators()
    for number, (operator, dtype, size, name) in enumerate(cases()[int(begin) :], int(begin)):
        told = {"number": number, "operator": operator, "dtype": dtype}
        mark("inputs", **told, elements=size, mask=name)
        if not call(operator, functions[operator], dtype, MASKS[name](size)):
            return
    mark("all")


def call(operator: str, function: Any, dtype: str, mask: np.ndarray) -> bool:
    """Call a function, and read each tensor that comes of it. False where that raises."""
    bring()
    try:
        index = made(np.flatnonzero(mask).reshape(-1, 1))
        chosen = made(mask.astype(dtype) if operator == "nonzero" else mask)
        x = made(np.arange(mask.size).astype(dtype), leaf=dtype.startswith("float"))
        mark("call")
        bring(operator, mask)
        output = function(x, chosen, index)
        read("output", output)
        if not output.stop_gradient:
            upstream = paddle.full(output.shape, 1.0, dtype)
            mark("backward")
            bring(operator, mask)
            output.backward(upstream)
            read("gradient by x", x.grad)
    except Exception as error:
        mark("raised", words=words_of(error))
        return False
    finally:
        bring()
    return True


def read(tensor: str, made: Tensor | None) -> None:
    """Read a tensor: the driver's log then has where it lies."""
    size = -1 if made is None else int(np.prod(made.shape))
    mark("read", tensor=tensor, elements=size)
    bring()
    if made is not None:
        made.numpy()
    mark("was read")


def words_of(error: BaseException) -> str:
    """The error in a line: CUDA's own words, else its last; Paddle's begin with a stack."""
    said = " ".join(str(error).split())
    told = re.search(r"CUDA error\(\d+\)[^.\[]*|cuda\w+Error\w*: [^.\[]*", said)
    return f"{type(error).__name__}: {told[0] if told else said[-200:]}"


def answer(**told: object) -> None:
    print(json.dumps(told), flush=True)


def fail_each() -> None:
    """Which call notices that the driver fails? Each is told, be it an answer or an error."""
    array = np.arange(12, dtype="float32")
    kept: dict[str, Any] = {}
    steps: dict[str, Callable[[], object]] = {
        "to_tensor": lambda: kept.update(x=made(array, leaf=True), mask=made(array > 6)),
        "full([3], 5.0)": lambda: paddle.full([3], 5.0).numpy().tolist(),
        "x + x": lambda: (kept["x"] + kept["x"]).numpy().tolist(),
        "masked_select": lambda: paddle.masked_select(kept["x"], kept["mask"]).numpy().tolist(),
        "nonzero": lambda: paddle.nonzero(kept["mask"]).numpy().tolist(),
        "gradient of x + x": lambda: (kept["x"] + kept["x"]).backward(),
        "synchronize": lambda: paddle.device.cuda.synchronize(),
        "x.numpy()": lambda: kept["x"].numpy().tolist(),
    }
    for name, step in steps.items():
        if "x" not in kept and name not in ("to_tensor", "full([3], 5.0)", "synchronize"):
            continue  # there is nothing to call it with
        try:
            came = step()
            answer(call=name, raised=None, answer=json.dumps(came))
        except Exception as error:
            answer(call=name, raised=words_of(error), answer=None)


def train(assigner: str) -> None:
    """One step of a small PP-YOLOE: what its loss is, and how many gradients are not finite."""
    from properties.detection.small_ppyoloe import train as steps

    try:
        step = next(steps(assigner, 0, "int64"))
    except Exception as error:
        answer(loss=None, astray=None, raised=words_of(error))
        return
    answer(loss=repr(step.loss), astray=len(step.astray), raised=None)


if __name__ == "__main__":
    paddle.set_device("gpu")
    asked: dict[str, Callable[..., None]] = {
        "calls": call_each,
        "failing": fail_each,
        "training": train,
    }
    asked[sys.argv[1]](*sys.argv[2:])
