"""What questions share: tensors of known bytes, and memory that does not hold the answer by chance.

A question takes arrays and options by name, and yields its answers one by one, each with what is
due (`Answers` of evidence.py). It looks up Paddle's functions when it calls them, so that a mutant
that is put in later is called. Its source is copied into the script that reproduces a violation.
"""

from __future__ import annotations

from math import prod
from typing import Any, Callable

import numpy as np
import paddle

from properties.oracle.arrays import ArrayView, view
from properties.protocol.evidence import Answer, Answers

Tensor = Any  # paddle carries no types

POISON = -7.25e77


def poison(nbytes: int, *inputs: Any) -> None:
    """Fill memory on the current place with a pattern, and give it back.

    An output of `nbytes` that a kernel never writes holds what its memory held before, which may be
    the answer to an earlier call (PaddlePaddle/Paddle#44181). After this it holds the pattern, also
    where the operator takes scratch space before its output: on the CPU up to two pieces of the
    output's size. A GPU's allocator (auto_growth_best_fit_allocator.cc) hands out the end of the
    smallest free block that is large enough. There, whatever blocks scratch may take are filled,
    too: `inputs` say how large it may be.
    """
    sizes = [nbytes] * 3
    if paddle.get_device() != "cpu":
        sizes = [*sizes * 2, *scratch_sizes(nbytes, inputs), *sizes * 2]
    held = [paddle.full([max(1, -(-size // 8))], POISON, "float64") for size in sizes]
    del held


def scratch_sizes(nbytes: int, inputs: tuple[Any, ...]) -> list[int]:
    """Bytes, from 32 for each element of the largest of the tensors among `inputs`, at most 16 MiB.

    Then half of that, and so on down to the output's own, two of each. `nbytes` is taken six times
    before them, where the smallest free blocks are, and six times after them, of what they left. Of
    1,000 drawn heaps of a made-up allocator none then gives an output without the pattern, after up
    to four pieces of scratch; without those before or those after, some do.
    """
    elements = max((prod(each.shape) for each in inputs if hasattr(each, "shape")), default=0)
    size, sizes = min(32 * elements, 2**24), []
    while size > max(nbytes, 256):  # smaller ones share pieces of 256 bytes
        sizes += [size, size]
        size //= 2
    return sizes


def fresh(
    what: str, due: np.ndarray, call: Callable[..., Tensor], *given: Any, **options: Any
) -> Answer:
    """The answer of a call, after the memory that it may take was poisoned."""
    poison(due.nbytes, getattr(call, "__self__", None), *given)
    return what, contents(call(*given, **options)), due, None


def gradients(
    what: str, output: Tensor, upstream: Tensor | None, **leaves: tuple[Tensor, np.ndarray]
) -> Answers:
    """The gradient of `output` by each leaf, after the memory that it may take was poisoned.

    `leaves` are tensors, each with the gradient that is due, by name. Raises AssertionError where
    a leaf has no gradient.
    """
    for _, due in leaves.values():
        poison(due.nbytes, output)
    output.backward(upstream)
    for name, (leaf, due) in leaves.items():
        assert leaf.grad is not None, f"no gradient reached {name}"
        yield f"gradient of {what} by {name}", contents(leaf.grad), due, None


def inputs_after(
    call: Callable[..., Tensor], gradient: bool = True, **inputs: np.ndarray
) -> Answers:
    """What the inputs hold after the call and, if `gradient`, after its gradient by x."""
    given = [tensor(array, not gradient or name != "x") for name, array in inputs.items()]
    answer = call(*given)
    if gradient:
        answer.backward(paddle.ones_like(answer))
    for (name, array), held in zip(inputs.items(), given):
        yield f"{name} after the call", contents(held), array, None


def tensor(array: np.ndarray, stop_gradient: bool = True) -> Tensor:
    """`array` as a tensor on the current place; uint16 becomes bfloat16.

    Raises NotImplementedError where the release has no 0-D tensor, AssertionError where the tensor
    does not hold the array's bytes: then `paddle.to_tensor` is to blame.
    """
    made = paddle.to_tensor(array, stop_gradient=stop_gradient)
    if array.ndim == 0 and list(made.shape) == [1]:
        raise NotImplementedError("paddle.to_tensor gives shape [1] for a 0-D array")
    same_data(made, array, "paddle.to_tensor")
    return made


def same_data(made: Tensor, array: np.ndarray, maker: str) -> None:
    """Raise AssertionError, which blames `maker`, unless the tensor holds the array's bytes."""
    held, shape = made.numpy(), tuple(made.shape)
    same = (held.dtype, shape, held.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert same, f"{maker} changed the data, before any call: {array!r} became {held!r}"


def contents(made: Tensor) -> np.ndarray:
    """What the tensor holds, in its own shape: 2.5 makes a 1-D array of a 0-D tensor."""
    array: np.ndarray = made.numpy()
    return array.reshape(tuple(made.shape))


def both_views(
    x: np.ndarray, mask: np.ndarray, seen: ArrayView
) -> tuple[Tensor, Tensor, np.ndarray, np.ndarray]:
    """The same view of x and of the mask: as tensors, and as the arrays that these hold.

    Raises AssertionError where a tensor's view does not hold what NumPy's view does.
    """
    array, wanted = (np.ascontiguousarray(view(a, seen)) for a in (x, mask))
    source, chosen = (view(tensor(a), seen) for a in (x, mask))
    same_data(source, array, "the view of x")
    same_data(chosen, wanted, "the view of the mask")
    return source, chosen, array, wanted
