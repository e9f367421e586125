"""The cases of selections: what is asked, how it is verified, and the script of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, Callable

from properties.cases.regressions import Regression
from properties.cases.selections import Selection
from properties.oracle import arrays, box_loss, selecting
from properties.protocol.evidence import Case, ask, begin, refused, same_bytes
from properties.protocol.scripts import helpers_of, program
from properties.questions import family, masked_selection, memory, on_gpu

HELPERS = helpers_of(arrays, memory, selecting, box_loss, masked_selection, family, on_gpu)
ASKED_AGAIN: dict[str, Callable[..., masked_selection.Answers]] = {  # the calls of regressions.py
    "masked_select": family.published_selection,
    "boolean index": family.published_reading,
    "nonzero": family.published_indices,
    "cross_entropy": family.published_refusal,
}


@dataclass(frozen=True)
class Question:
    """A selection, and the function of `questions` that asks for it: a `Case` of evidence.py."""

    ask: Callable[..., masked_selection.Answers]
    selection: Selection
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        options = "".join(f", {name} {value}" for name, value in self.options.items())
        return f"{self.ask.__name__}: {self.selection}{options}"

    def answers(self) -> masked_selection.Answers:
        return self.ask(self.selection.x, self.selection.mask, **self.options)

    def script(self) -> str:
        """A program that asks the same, often, and fails at the first answer that is wrong."""
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        call = f"{self.ask.__name__}(x, mask{options})"
        return comparing_program(self, self.selection.code(), call)


@dataclass(frozen=True)
class Replay:
    """A published case, asked again: a `Case` of evidence.py."""

    published: Regression

    def __str__(self) -> str:
        told = self.published
        return f"{told.call}: {told.name}, published in {told.thread}"

    @property
    def ask(self) -> Callable[..., masked_selection.Answers]:
        return ASKED_AGAIN[self.published.call]

    def answers(self) -> masked_selection.Answers:
        return self.ask(**self.published.arrays, **self.published.options)

    def script(self) -> str:
        """A program that asks the same, often, and fails at the first answer that is wrong."""
        arrays = "".join(f", {name}={name}" for name in self.published.arrays)
        options = "".join(f", {name}={value!r}" for name, value in self.published.options.items())
        call = f"{self.ask.__name__}({(arrays + options)[2:]})"
        return comparing_program(self, self.published.code(), call)


@dataclass(frozen=True)
class Large:
    """A few elements far out of a tensor that is made on the device: a `Case` of evidence.py."""

    size: int
    positions: tuple[int, ...]

    def __str__(self) -> str:
        return f"elements {list(self.positions)} of {self.size}"

    def answers(self) -> masked_selection.Answers:
        return on_gpu.from_far_out(self.size, list(self.positions))

    def script(self) -> str:
        """A program that asks the same, often, and fails at the first answer that is wrong."""
        return comparing_program(self, "", f"from_far_out({self.size}, {list(self.positions)})")


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
for form in ("function", "method"):
    try:
        answer = selected_as(form, source, chosen).numpy()
    except Exception as error:
        print(f"refused by the {{form}}: {{error}}")
    else:
        raise AssertionError(f"expected an error from the {{form}}, got {{answer!r}}")
""",
            HELPERS,
        )


def comparing_program(case: Case, arrays: str, call: str) -> str:
    """A program that makes the arrays, asks by `call`, and compares byte by byte."""
    return program(
        str(case),
        f"""{arrays}
for _ in range(100):  # some faults come and go
    for what, actual, expected in {call}:
        contrast = f"{{what}}: expected {{expected!r}}, got {{actual!r}}"
        assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape), contrast
        if actual.size <= 64:  # NaN payloads print alike
            contrast += f"; its bytes {{actual.tobytes().hex()}}, not {{expected.tobytes().hex()}}"
        assert actual.tobytes() == expected.tobytes(), contrast
print("as expected")
""",
        HELPERS,
    )


def verify(question: Question | Replay | Large, not_offered: tuple[str, ...] = ()) -> None:
    """Ask, and compare answer by answer. Raises Violation at the first that is wrong.

    `not_offered` are patterns of errors that say "not offered" to this question alone.
    """
    begin(question)
    answers = question.answers()
    while (answer := ask(next, answers, None, not_offered=not_offered)) is not None:
        what, actual, expected = answer
        same_bytes(actual, expected, what)


def verify_published_refusal(replay: Replay) -> None:
    """The label is refused, each time, with one of the two errors that threads show.

    Raises Violation where it is not.
    """
    begin(replay)
    told = replay.published
    classes, label = told.options["classes"], told.arrays["x"]
    for _ in range(20):
        refused(
            partial(family.loss_of_label, label, classes),
            f"label {label.tolist()} of {classes} classes",
            "ValueError|IndexError",
        )


def verify_refusal(selection: Selection) -> None:
    """Raises Violation where the release answers."""
    begin(Refusal(selection))
    x, mask = (
        ask(masked_selection.tensor, selection.x),
        ask(masked_selection.tensor, selection.mask),
    )
    for form in ("function", "method"):
        what = f"a selection that makes no sense, by the {form}"
        refused(partial(answer_of, form, x, mask), what)


def answer_of(form: str, x: masked_selection.Tensor, mask: masked_selection.Tensor) -> object:
    """What the release answers, read from the device, so that a late error is seen."""
    return masked_selection.selected_as(form, x, mask).numpy()
