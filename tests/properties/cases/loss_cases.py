"""The cases of PP-YOLOE's box loss: their arrays, how they are verified, scripted and drawn."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any, Callable, Union

import numpy as np
import paddle
from hypothesis import strategies as st
from hypothesis.extra import numpy as numbers

from properties.oracle import box_loss, loss_arrays, selecting, tolerances
from properties.oracle.arrays import changed_at
from properties.oracle.box_loss import log_softmax
from properties.oracle.loss_arrays import dfl_arrays, head_inputs
from properties.oracle.tolerances import side_tolerance
from properties.protocol.evidence import ask, begin, refused, within
from properties.protocol.scripts import helpers_of, program
from properties.questions import box_loss_questions
from properties.questions.box_loss_questions import Answers, box_loss_steps, cross_entropies

# Every reg_range that PaddleDetection's files set: the default; smalldet/ppyoloe_plus_sod_crn_l;
# its VisDrone configurations, small and large; and the upper end that its README suggests for DOTA.
REG_RANGES = ((0, 17), (-2, 17), (-2, 8), (-2, 20), (0, 13))
ASSIGNED = ("one", "some", "block", "all")  # words of `head_inputs`
HALF_ON_CPU = r"float16 can only be used on GPU or NPU( or MLU)? place"  # 2.2 and 2.3
HELPERS = helpers_of(selecting, box_loss, tolerances, box_loss_questions, loss_arrays)
MOST_BINS = max(high - low for low, high in REG_RANGES)
SEEDS = st.integers(0, 2**16)
SPREADS = st.sampled_from((1.0, 4.0, 16.0))


@dataclass(frozen=True)
class DflCase:
    """Logits, targets and weights of `count` positives, and the question about their DFL."""

    question: Callable[..., Answers]
    reg_range: tuple[int, int]
    dtype: str
    pattern: str | tuple[float, ...]
    count: int
    spread: float
    seed: int

    def __str__(self) -> str:
        return (
            f"{self.question.__name__}: {self.dtype}, reg_range {self.reg_range}, {self.count} "
            f"positives, targets {self.pattern}, logits within {self.spread:g}, seed {self.seed}"
        )

    def answers(self) -> Answers:
        return self.question(*dfl_arrays(*self.words), self.reg_range)

    def script(self) -> str:
        """A program that asks the same and fails where an answer is wrong."""
        return comparing_program(
            self, self.question, f"*dfl_arrays{self.words!r}, {self.reg_range!r}"
        )

    @property
    def words(self) -> tuple[Any, ...]:
        return astuple(self)[1:]


@dataclass(frozen=True)
class HeadCase:
    """Inputs of the head's box loss, and the question about them.

    Its script asks for the head's steps, whatever the question: it runs without PaddleDetection.
    """

    question: Callable[..., Answers]
    reg_range: tuple[int, int]
    classes: int
    batch: int
    anchors: int
    assigned: str
    seed: int

    def __str__(self) -> str:
        return (
            f"{self.question.__name__}: reg_range {self.reg_range}, {self.classes} classes, "
            f"{self.batch} x {self.anchors} anchors, {self.assigned} assigned, seed {self.seed}"
        )

    def answers(self) -> Answers:
        return self.question(head_inputs(*self.words), self.reg_range)

    def script(self) -> str:
        """A program that goes the head's steps and fails at the first that is wrong."""
        return comparing_program(
            self, box_loss_steps, f"head_inputs{self.words!r}, {self.reg_range!r}"
        )

    @property
    def words(self) -> tuple[Any, ...]:
        return astuple(self)[1:]


@dataclass(frozen=True)
class LabelCase:
    """A cross entropy as DFL asks for it, where one of the labels [N, 4] is `label`."""

    label: int
    reg_range: tuple[int, int]
    dtype: str
    count: int
    position: int
    seed: int

    def __str__(self) -> str:
        return (
            f"cross_entropy: {self.dtype}, {self.classes} classes, label {self.label} at "
            f"{self.position % (4 * self.count)} of {4 * self.count}, seed {self.seed}"
        )

    @property
    def classes(self) -> int:
        return self.reg_range[1] - self.reg_range[0]

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Logits [N, 4, C] and labels [N, 4], all of them in range."""
        logits, targets, _ = dfl_arrays(
            self.reg_range, self.dtype, "inside", self.count, 4.0, self.seed
        )
        return logits, np.floor(targets).astype(np.int64) - self.reg_range[0]

    def script(self) -> str:
        """A program that fails where the release answers, or errs where all labels are in range."""
        logits, labels = self.arrays()
        return program(
            str(self),
            f"""logits = paddle.zeros({list(logits.shape)}, {self.dtype!r})
labels = np.array({labels.tolist()}, np.int64)
print(cross_entropies(logits, labels))
labels.reshape(-1)[{self.position % labels.size}] = {self.label}
try:
    answer = cross_entropies(logits, labels)
except Exception as error:
    print(f"refused: {{error}}")
else:
    raise AssertionError(f"expected an error, got {{answer}}")
""",
            HELPERS,
        )


Case = Union[DflCase, HeadCase]


def verify(case: Case) -> None:
    """Begin the case, and compare its answers. Raises Violation at the first that is wrong."""
    begin(case)
    compare(case.answers())


def compare(answers: Answers) -> None:
    """Ask, and compare answer by answer. Raises Violation at the first that is wrong."""
    while (answer := ask(next, answers, None, not_offered=[HALF_ON_CPU])) is not None:
        what, actual, expected, tolerance = answer
        within(actual, expected, tolerance, what)


def verify_refusal(case: LabelCase) -> None:
    """Labels in range get the right answer, with one changed an error. Else raises Violation."""
    begin(case)
    logits, labels = case.arrays()
    z = ask(paddle.to_tensor, logits)
    due = -np.take_along_axis(log_softmax(logits), labels[..., None], -1)[..., 0]
    tolerance = side_tolerance(logits, float(np.finfo(logits.dtype).eps))
    within(ask(cross_entropies, z, labels), due, tolerance, "labels in range")
    what = f"label {case.label} of {case.classes} classes"
    wrong = changed_at(labels, case.position % labels.size, case.label)
    refused(lambda: cross_entropies(z, wrong), what)


def comparing_program(
    case: object, question: Callable[..., Answers], arguments: str, before: str = ""
) -> str:
    """A program that asks the question and fails at the first answer beyond its tolerance.

    `before` are lines that make what the arguments name.
    """
    return program(
        str(case),
        f"""{before}for what, actual, expected, tolerance in {question.__name__}({arguments}):
    actual, expected = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    print(f"{{what}}: expected {{expected}}, got {{actual}}")
    assert actual.shape == expected.shape, what
    assert (np.abs(actual - expected) <= tolerance).all(), what
""",
        HELPERS,
    )


# How cases are drawn: by structure, and the targets of a few one by one. They shrink to one
# positive, a written target of `low`, and seed 0.


def dfl_cases(
    question: Callable[..., Answers], dtype: str, reg_range: tuple[int, int], *patterns: str
) -> st.SearchStrategy[DflCase]:
    """DFL of 1 to 24 positives with targets of these patterns, or of 1 to 3 with written ones."""
    low, high = reg_range
    end = float(np.array(high - 1 - 0.01, dtype))
    target = numbers.from_dtype(np.dtype(dtype), min_value=low, max_value=end).map(float)

    def case(pattern: str | tuple[float, ...], count: int, spread: float, seed: int) -> DflCase:
        return DflCase(question, reg_range, dtype, pattern, count, spread, seed)

    def written(count: int) -> st.SearchStrategy[DflCase]:
        targets = st.lists(target, min_size=4 * count, max_size=4 * count).map(tuple)
        return st.builds(case, targets, st.just(count), SPREADS, SEEDS)

    named = st.builds(case, st.sampled_from(patterns), st.integers(1, 24), SPREADS, SEEDS)
    return st.one_of(st.integers(1, 3).flatmap(written), named)


@st.composite
def dfl_cases_past_the_clip(
    draw: st.DrawFn, question: Callable[..., Answers], dtype: str
) -> DflCase:
    """DFL of one positive whose targets lie between the end of the head's clip and the last bin."""
    reg_range = _, high = draw(st.sampled_from(REG_RANGES))
    end = float(np.array(high - 1 - 0.01, dtype))
    target = numbers.from_dtype(
        np.dtype(dtype), min_value=end, max_value=high - 1, exclude_max=True
    )
    targets = draw(st.lists(target.map(float), min_size=4, max_size=4).map(tuple))
    return DflCase(question, reg_range, dtype, targets, 1, draw(SPREADS), draw(SEEDS))


def head_cases(
    question: Callable[..., Answers], reg_range: tuple[int, int], *assigned: str
) -> st.SearchStrategy[HeadCase]:
    """Box losses of 1 to 3 images, 1 to 40 anchors and 1 to 4 classes, assigned in these ways."""
    return st.builds(
        HeadCase,
        question=st.just(question),
        reg_range=st.just(reg_range),
        classes=st.integers(1, 4),
        batch=st.integers(1, 3),
        anchors=st.integers(1, 40),
        assigned=st.sampled_from(assigned or ASSIGNED),
        seed=SEEDS,
    )


def label_cases(
    labels: st.SearchStrategy[int], *reg_ranges: tuple[int, int]
) -> st.SearchStrategy[LabelCase]:
    """Cross entropies of 1 to 6 positives, one of whose labels is drawn from `labels`."""
    return st.builds(
        LabelCase,
        label=labels,
        reg_range=st.sampled_from(reg_ranges or REG_RANGES),
        dtype=st.sampled_from(("float32", "float64")),
        count=st.integers(1, 6),
        position=st.integers(0, 23),
        seed=SEEDS,
    )
