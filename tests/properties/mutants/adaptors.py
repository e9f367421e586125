"""Generated mutants, put before Paddle's functions: `generated.py` says what they change and when.

A graph that is being built holds no values: there the true function answers, but for the mutants
of that context.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any, Callable

import numpy as np
import paddle

from properties.mutants import reach
from properties.mutants.changes import CHANGES, Change
from properties.mutants.faults import Factory, Function, Tensor, hold, truth
from properties.mutants.generated import GENERATED, GRADIENTS, POINTS, Generated, Point
from properties.questions.memory import contents


class Call:
    """One call of the function that a mutant stands for."""

    def __init__(
        self, point: Point, at: int, given: tuple[Any, ...], named: dict[str, Any]
    ) -> None:
        self.point, self.at, self.given, self.named = point, at, list(given), dict(named)

    def argument(self, number: int) -> Any:
        """By its position, those that are named after the others."""
        everything = [*self.given, *self.named.values()]
        return everything[number] if number < len(everything) else None

    @property
    def data(self) -> Any:
        return self.argument(self.at)

    @property
    def mask(self) -> Any:
        return None if self.point.mask is None else self.argument(self.point.mask)

    def with_data(self, data: Any) -> tuple[list[Any], dict[str, Any]]:
        """The same arguments, with other data."""
        given, named = list(self.given), dict(self.named)
        if self.at < len(given):
            given[self.at] = data
        else:
            named[list(named)[self.at - len(given)]] = data
        return given, named

    def is_meant(self, target: str) -> bool:
        """Whether the target does here what the mutant is of: `x[mask]` and not `x[0]`."""
        if target.startswith("paddle.Tensor.__"):
            item = self.argument(1)
            return isinstance(item, paddle.Tensor) and item.dtype == paddle.bool
        if target == "paddle.where":
            return (self.argument(1) is None) == (self.at == 0)
        return self.data is not None

    def places(self, count: int) -> np.ndarray:
        """Where in the data each of so many rows lies, in C order."""
        if "selection" not in self.point.kinds.split():
            return np.arange(count)
        chosen = truth(contents(self.mask))
        if chosen.ndim == len(self.data.shape):
            wide = np.broadcast(np.empty(self.data.shape), chosen).shape
            chosen = np.broadcast_to(chosen, wide)
        at = np.flatnonzero(chosen)
        return at if at.size == count else np.arange(count)


Applies = Callable[[Call], bool]


def factory(made: Generated, target: str) -> Factory:
    """From the true function to the faulty one, for one of the mutant's targets."""
    of_gradient = made.point in GRADIENTS
    point = (GRADIENTS if of_gradient else POINTS)[made.point]

    def make(true: Function) -> Function:
        applies = condition(made.context)
        if of_gradient:
            answer: Callable[..., Any] = partial(answer_with_gradient, made.change, applies)
        elif made.change in SPECIAL:
            answer = partial(SPECIAL[made.change], applies)
            remember(VIEWS if "memory" in made.change else ())
        else:
            answer = partial(answer_changed, CHANGES[made.change], applies)
        busy = threading.local()

        def faulty(*given: Any, **named: Any) -> Any:
            call = Call(point, point.targets[target], given, named)
            if getattr(busy, "is", False) or not call.is_meant(target):
                return true(*given, **named)
            if not paddle.in_dynamic_mode():
                built = true(*given, **named)
                return turned(built) if made.context == "in a static graph" else built
            setattr(busy, "is", True)  # a mutant's own calls are not faulty
            try:
                return answer(call, true)
            finally:
                setattr(busy, "is", False)

        return faulty

    return make


def factories_of(name: str) -> dict[str, Factory]:
    """Of a generated mutant, for each function that it stands for."""
    made = GENERATED[name]
    point = GRADIENTS.get(made.point) or POINTS[made.point]
    return {target: factory(made, target) for target in point.targets}


# What is answered.


def answer_changed(change: Change, applies: Applies, call: Call, true: Function) -> Any:
    """The answer, changed where the context is the mutant's."""
    wrong = applies(call)
    answer = true(*call.given, **call.named)
    if not wrong:
        return answer
    form = call.point.form
    if form == "written":
        put(call.data, changed(contents(call.data), change, call))
        return answer
    if form == "indices" and isinstance(answer, (tuple, list)):
        axes = [contents(axis) for axis in answer]
        found = changed(np.stack([axis.reshape(-1) for axis in axes], axis=1), change, call)
        return type(answer)(
            paddle.to_tensor(i.reshape(-1, *a.shape[1:])) for i, a in zip(found.T, axes)
        )
    if form.isdigit():
        several = list(answer)
        several[int(form)] = replaced(several[int(form)], change, call)
        return tuple(several)
    return replaced(answer, change, call)


def replaced(answer: Any, change: Change, call: Call) -> Any:
    """An array, or a tensor, whose gradient stays the true one where its shape does."""
    if isinstance(answer, np.ndarray):
        return changed(answer, change, call)
    return put(answer, changed(contents(answer), change, call))


def put(tensor: Tensor, found: np.ndarray) -> Tensor:
    """The tensor, with the array's contents, or another one where they do not fit."""
    before = contents(tensor)
    if (before.shape, before.dtype) != (found.shape, found.dtype):
        return paddle.to_tensor(found, stop_gradient=tensor.stop_gradient)
    return tensor if before.tobytes() == found.tobytes() else hold(tensor, found)


def changed(array: np.ndarray, change: Change, call: Call) -> np.ndarray:
    """The array after the change of its rows."""
    selection = "selection" in call.point.kinds.split() and array.ndim
    rows = np.array(array if selection else array.reshape(-1))
    if not len(rows):
        return array
    found = change(rows, lambda: call.places(len(rows)))
    return np.ascontiguousarray(found if selection else found.reshape(array.shape))


def answer_with_gradient(change: str, applies: Applies, call: Call, true: Function) -> Any:
    """The true answer, whose gradient by the data is changed. It is taken of a copy of the data, so
    that no other gradient of theirs is concerned.
    """
    data = call.data
    if not isinstance(data, paddle.Tensor) or data.stop_gradient:
        return true(*call.given, **call.named)
    copied = data.detach() if change == "dropped" else paddle.assign(data)
    if change != "dropped":
        copied.register_hook(partial(gradient_of, CHANGES[change], applies, call))
    given, named = call.with_data(copied)
    return true(*given, **named)


def gradient_of(change: Change, applies: Applies, call: Call, due: Tensor) -> Tensor | None:
    return paddle.to_tensor(changed(contents(due), change, call)) if applies(call) else None


def turned(built: Any) -> Any:
    """Of a program that is being built: the answer from its last row to its first."""
    several = isinstance(built, (tuple, list))
    found = [paddle.flip(each, [0]) for each in (built if several else [built])]
    return type(built)(found) if several else found[0]


# What needs more than the answer.


def refuse(applies: Applies, call: Call, true: Function) -> Any:
    if applies(call):
        raise OSError("CUDA error(9), invalid configuration argument")
    return true(*call.given, **call.named)


def overwrite(what: str, applies: Applies, call: Call, true: Function) -> Any:
    """The call's data or its mask are 0 once it has answered."""
    answer, argument = true(*call.given, **call.named), getattr(call, what)
    hold(argument, np.zeros_like(contents(argument)))
    return answer


def leave_unwritten(applies: Applies, call: Call, true: Function) -> Any:
    """What was there before stays."""
    if call.point.form == "written":
        return None
    answer = true(*call.given, **call.named)
    several = isinstance(answer, (tuple, list))
    return type(answer)(map(paddle.empty_like, answer)) if several else paddle.empty_like(answer)


def read_memory(order: bool, applies: Applies, call: Call, true: Function) -> Any:
    """The answer where a slice is read from where its memory starts; in `order`, where a permuted
    view is read as it lies there, too.
    """
    memory = parent_in("__getitem__", call.data)
    memory = parent_in("transpose", memory) if order else memory
    if memory is call.data:
        return true(*call.given, **call.named)
    shape = tuple(call.data.shape)
    first = contents(memory).reshape(-1)[: int(np.prod(shape))].reshape(shape)
    given, named = call.with_data(paddle.to_tensor(first, stop_gradient=call.data.stop_gradient))
    return true(*given, **named)


SPECIAL: dict[str, Callable[..., Any]] = {
    "x overwritten": partial(overwrite, "data"),
    "mask overwritten": partial(overwrite, "mask"),
    "unwritten": leave_unwritten,
    "in memory order": partial(read_memory, True),
    "from the start of memory": partial(read_memory, False),
    "refused": refuse,
}
VIEWS = ("__getitem__", "transpose")
COMPARISONS = ("__gt__", "__ge__", "__lt__", "__le__", "__eq__", "__ne__")
recent: dict[str, deque[tuple[Tensor, Tensor]]] = {}
"""The last results of some methods of tensors, each with the tensor that it was called on."""


def remember(methods: Sequence[str]) -> None:
    """Once the mutant is in place, keep the results of these methods of tensors."""

    def start(method: str) -> None:
        true, kept = getattr(paddle.Tensor, method), recent[method]

        def remembered(self: Tensor, *given: Any, **named: Any) -> Tensor:
            made = true(self, *given, **named)
            kept.append((made, self))
            return made

        reach.put(paddle.Tensor, method, remembered)

    for method in methods:
        recent[method] = deque(maxlen=8)
        reach.later.append(partial(start, method))
        reach.undo.append(recent[method].clear)


def parent_in(method: str, made: Tensor) -> Tensor:
    """What `made` was made from by this method; itself, where that is not known."""
    return next((parent for result, parent in recent[method] if result is made), made)


# The contexts, each with what tells whether a call is in it.


def rank(call: Call) -> int:
    return len(call.data.shape) if isinstance(call.data, paddle.Tensor) else -1


def makes_a_graph() -> Applies:
    """Whether `paddle.grad(create_graph=True)` runs."""
    running: list[bool] = []
    true = paddle.grad

    def grad(*given: Any, **named: Any) -> Any:
        running.append(bool(named.get("create_graph")))
        try:
            return true(*given, **named)
        finally:
            running.pop()

    reach.later.append(lambda: reach.put(paddle, "grad", grad))
    return lambda call: any(running)


def records_nothing() -> bool:
    one = paddle.ones([1])
    one.stop_gradient = False
    return bool((one + one).stop_gradient)


def is_result(data: Any) -> bool:
    return isinstance(data, paddle.Tensor) and not data.stop_gradient and not data.is_leaf


def was_compared() -> Applies:
    remember(COMPARISONS)
    return lambda call: any(m is call.mask for name in COMPARISONS for m, _ in recent[name])


def was_asked_before() -> Applies:
    last: deque[Any] = deque(maxlen=2)

    def asked(call: Call) -> bool:
        before = any(each is call.data for each in last)
        last.append(call.data)
        return before

    return asked


def chosen(call: Call) -> set[bool]:
    """The truths in the mask; without one everything is chosen."""
    return {True} if call.mask is None else set(np.unique(contents(call.mask) != 0).tolist())


SIMPLE: dict[str, Applies] = {
    "": lambda call: True,
    "under no_grad": lambda call: records_nothing(),
    "in a thread": lambda call: threading.current_thread() is not threading.main_thread(),
    "with another default dtype": lambda call: paddle.get_default_dtype() != "float32",
    "of six axes": lambda call: rank(call) >= 6,
    "of no axis": lambda call: rank(call) == 0,
    "of results": lambda call: is_result(call.data),
    "in a static graph": lambda call: False,
    "at the second pass": lambda call: call.data.grad is not None,
    "where nothing is chosen": lambda call: chosen(call) == {False},
    "where all is chosen": lambda call: chosen(call) == {True},
    "of no element": lambda call: 0 in call.data.shape,
}
REMEMBERING: dict[str, Callable[[], Applies]] = {
    "by a comparison": was_compared,
    "once more": was_asked_before,
    "under create_graph": makes_a_graph,
}
"""Those that watch what is called before."""


def condition(context: str) -> Applies:
    return REMEMBERING[context]() if context in REMEMBERING else SIMPLE[context]
