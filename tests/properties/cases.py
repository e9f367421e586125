"""The cases of `paddle.masked_select`: what is asked, how it is verified, and the script of it."""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass, field
from typing import Any, Callable

import arrays
import memory
import oracle
import paddle
import questions
from evidence import ask, begin, refused, same_bytes
from selections import Selection

HELPERS: tuple[Callable[..., Any], ...] = (
    questions.tensor,
    questions.same_data,
    questions.view,
    questions.select,
    questions.run_program,
    memory.poison,
    oracle.masked_select,
    oracle.masked_select_gradient,
    arrays.values,
    arrays.count,
    arrays.special,
    arrays.corners,
    arrays.bits,
    arrays.mask_of,
)


@dataclass(frozen=True)
class Question:
    """A selection, and the function of `questions` that asks for it: a `Case` of evidence.py."""

    ask: Callable[..., questions.Answers]
    selection: Selection
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        options = "".join(f", {name} {value}" for name, value in self.options.items())
        return f"{self.ask.__name__}: {self.selection}{options}"

    def answers(self) -> questions.Answers:
        return self.ask(self.selection.x, self.selection.mask, **self.options)

    def script(self) -> str:
        """A program that asks the same, often, and fails at the first answer that is wrong."""
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return program(
            str(self),
            f"""{source(self.ask)}{self.selection.code()}
for _ in range(100):  # some faults come and go
    for what, actual, expected in {self.ask.__name__}(x, mask{options}):
        contrast = f"{{what}}: expected {{expected!r}}, got {{actual!r}}"
        assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape), contrast
        assert actual.tobytes() == expected.tobytes(), contrast
print("as expected")
""",
        )


@dataclass(frozen=True)
class Refusal:
    """A selection that makes no sense, which is due an error: a `Case` of evidence.py."""

    selection: Selection

    def __str__(self) -> str:
        return f"refused: {self.selection}"

    def script(self) -> str:
        """A program that fails where the release answers."""
        return program(
            str(self),
            f"""{self.selection.code()}
source, chosen = tensor(x), tensor(mask)
try:
    answer = paddle.masked_select(source, chosen).numpy()
except Exception as error:
    print(f"refused: {{error}}")
else:
    raise AssertionError(f"expected an error, got {{answer!r}}")
""",
        )


def verify(question: Question, not_offered: tuple[str, ...] = ()) -> None:
    """Ask, and compare answer by answer. Raises Violation at the first that is wrong.

    `not_offered` are patterns of errors that say "not offered" to this question alone.
    """
    begin(question)
    answers = question.answers()
    while (answer := ask(next, answers, None, not_offered=not_offered)) is not None:
        what, actual, expected = answer
        same_bytes(actual, expected, what)


def verify_refusal(selection: Selection) -> None:
    """Raises Violation where the release answers."""
    begin(Refusal(selection))
    x, mask = ask(questions.tensor, selection.x), ask(questions.tensor, selection.mask)
    refused(lambda: paddle.masked_select(x, mask).numpy(), "a selection that makes no sense")


def program(title: str, body: str) -> str:
    """A program around `body`, with those HELPERS that it needs, on the place of this process."""
    for helper in HELPERS:
        if helper.__name__ in names(body):
            body = source(helper) + body
    return f'''"""{title}"""

from __future__ import annotations

import numpy as np
import paddle

paddle.set_device({paddle.get_device()!r})


{body}'''


def names(program: str) -> set[str]:
    """The variables and functions that a program names."""
    return {node.id for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Name)}


def source(function: Callable[..., Any]) -> str:
    return f"{inspect.getsource(function)}\n\n"
