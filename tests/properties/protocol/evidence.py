"""What a property tells the record: its current case, the calls it verified, what contradicted it.

A property begins each example with `begin(case)`, asks the release through `ask`, and compares
through `same_bytes`, `within` or `refused`. `conftest.py` carries what is gathered here out of the
process. Everything is per process: a worker runs one property at a time.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Literal, NamedTuple, NoReturn, Protocol, TypeVar, get_args

import numpy as np
import pytest

from properties.protocol import device
from properties.protocol.release_errors import in_one_line, printable, says_not_offered
from properties.protocol.worker import leave_unwritten

T = TypeVar("T")
Severity = Literal["silent", "error", "bits"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)  # the worst first; a death is a crash
# What is asked, the release's answer, what is due, and the tolerance: None where every byte counts.
Answer = tuple[str, Any, Any, Any]
Answers = Iterator[Answer]
# What a kernel's own assertion comes to; any other error (700, 716, 719) may be a fault of memory.
ASSERTED = re.compile(r"CUDA error\(710\)|device-side assert|Assertion `.*` failed")
LONG = 32  # elements; longer arrays are shown around the first wrong one


class Reproducible(Protocol):
    """What is asked of the release. Its `str` is one line, and it can be pickled."""

    def script(self) -> str:
        """A program that needs paddle and numpy alone, and fails where the release is wrong."""


class Refusal(NamedTuple):
    """What is due where a call makes no sense: an error. The answer is then the call itself.

    `words` is a pattern that the beginning of the error's type and message, `IndexError: …`, has
    to match.
    """

    words: str = ""

    def check(self, what: str, call: Callable[[], object]) -> None:
        """Raise AssertionError, in a script, unless the call raises this error."""
        try:
            answer = call()
        except Exception as error:
            said = f"{type(error).__name__}: {' '.join(str(error).split())}"
            assert re.match(self.words, said), f"{what}: {said}"
            return
        raise AssertionError(f"{what}: expected an error, got {answer!r}")


class Violation(AssertionError):
    """The release's answer contradicts the oracle's."""

    def __init__(self, what: str, expected: object, actual: object) -> None:
        self.expected, self.actual = shown(expected), shown(actual)
        super().__init__(f"{what}: expected {self.expected}, got {self.actual}")


@dataclass(frozen=True)
class Failure:
    """What an example came to that failed."""

    severity: Severity
    error: Exception
    case: Reproducible | None


@dataclass
class Ledger:
    """What the running property has come to so far."""

    calls: int = 0
    examples: int = 0
    case: Reproducible | None = None
    mildest: Severity = "silent"  # failures that are milder are kept, and the property goes on
    worst: Failure | None = None  # of all examples; of those alike, the last

    def keep(self, severity: Severity, error: Exception) -> bool:
        """Keep a failure, unless a worse one is kept. Whether it ends the example."""
        rank = SEVERITIES.index
        if self.worst is None or rank(severity) <= rank(self.worst.severity):
            self.worst = Failure(severity, error, self.case)
        return rank(severity) <= rank(self.mildest)


@dataclass
class Journal:
    """A file that outlives the process: the property that runs, and on which case."""

    worker: str | None = None  # NAME, as in worker.py; None where plain pytest runs
    property: str = ""
    printed: int = 0  # bytes in the worker's log when the property began
    left: dict[str, Any] | None = None  # how the process ended itself: the device did not answer
    file: io.FileIO | None = None

    def write(self, case: Reproducible | None) -> None:
        if self.worker is None:
            return
        header = {"property": self.property, "left": self.left, "case": case and shown(case)}
        try:
            if self.file is None:
                path = Path(f"{self.worker}.journal")
                self.file = path.open("wb", buffering=0)  # each example writes it
            self.file.seek(0)
            self.file.write(json.dumps(header).encode() + b"\n" + pickle.dumps(case))
            self.file.truncate()
        except OSError:
            leave_unwritten()

    def print_from_here(self) -> None:
        """What the log holds already was not printed by the property that begins."""
        log = self.log()
        self.printed = log.stat().st_size if log else 0

    def said_by_kernel(self) -> str:
        """What was printed since the property began: a kernel's assertion prints its words."""
        log = self.log()
        return log.read_bytes()[self.printed :].decode("utf-8", "replace") if log else ""

    def log(self) -> Path | None:
        path = Path(f"{self.worker}.log")
        return path if path.exists() else None


ledger = Ledger()
journal = Journal()


def start(nodeid: str) -> None:
    """A property starts: an empty ledger, and its name in the journal."""
    vars(ledger).update(vars(Ledger()))  # emptied, not replaced: others hold it by name
    journal.property = nodeid
    journal.print_from_here()
    journal.write(None)


def begin(case: Reproducible) -> None:
    """An example starts. Should the process die, the journal names this case."""
    ledger.examples += 1
    ledger.case = case
    journal.write(case)


def ask(call: Callable[..., T], *args: Any, not_offered: Sequence[str] = (), **kwargs: Any) -> T:
    """Call the release. If it says clearly that it does not offer this, that ends the property.

    Only before anything was verified: what was offered and then refused is a violation.
    `not_offered` are patterns of errors that say so to this property alone.
    """
    try:
        return call(*args, **kwargs)
    except Exception as error:
        reason = says_not_offered(error, not_offered)
        if reason is None or ledger.calls:
            raise
        pytest.skip(reason)


def same_bytes(actual: np.ndarray, expected: np.ndarray, what: str = "values") -> None:
    """A verified call: dtype, shape and every byte agree (NaN payloads and the sign of zero too).

    Raises Violation where they do not, and what the device came to in the meantime.
    """
    device.synchronize()
    ledger.calls += 1
    for aspect in ("dtype", "shape"):
        if getattr(actual, aspect) != getattr(expected, aspect):
            contradict(f"{what}: {aspect}", expected, actual)
    if actual.tobytes() != expected.tobytes():
        one, other = (np.frombuffer(array.tobytes(), np.uint8) for array in (actual, expected))
        first = int((one != other).argmax()) // actual.itemsize
        severity: Severity = "bits" if differ_in_bits(actual, expected) else "silent"
        what, actual, expected = window(what, first, actual, expected)
        if shown(actual) == shown(expected):
            actual, expected = bits(actual), bits(expected)
        contradict(what, expected, actual, severity)


def differ_in_bits(actual: np.ndarray, expected: np.ndarray) -> bool:
    """Whether arrays of one dtype and shape differ in NaNs' bits and in the sign of zero alone.

    uint16 is bfloat16, the upper half of a float32.
    """
    pair = [array.ravel() for array in (actual, expected)]
    if actual.dtype == np.uint16:
        pair = [(array.astype(np.uint32) << 16).view(np.float32) for array in pair]
    elif actual.dtype.kind == "c":
        pair = [array.view(array.real.dtype) for array in pair]
    return pair[0].dtype.kind == "f" and np.array_equal(pair[0], pair[1], equal_nan=True)


def window(
    what: str, first: int, actual: np.ndarray, expected: np.ndarray
) -> tuple[str, np.ndarray, np.ndarray]:
    """Long arrays of which element `first` is wrong are shown around it; `what` then says so."""
    size = expected.size
    if size <= LONG:
        return what, actual, expected
    near = slice(max(0, first - 4), min(first + 12, size))
    what = f"{what}, elements {near.start} to {near.stop - 1} of {size}"
    return what, actual.reshape(-1)[near], expected.reshape(-1)[near]


def bits(array: np.ndarray) -> np.ndarray:
    """The elements' bits, for those that print alike: NaN payloads."""
    return np.array([f"0x{element.tobytes()[::-1].hex()}" for element in array.reshape(-1)])


def within(actual: object, expected: object, tolerance: Any, what: str) -> None:
    """A verified call: every |actual - expected| is at most `tolerance`, an absolute bound.

    Where the oracle says NaN the release must say NaN, and the same infinity where it says one.
    The caller derives the bound. Raises Violation where an element is outside, and what the device
    came to in the meantime.
    """
    device.synchronize()
    ledger.calls += 1
    measured, true = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    if measured.shape != true.shape:
        contradict(f"{what}: shape", true.shape, measured.shape)
    with np.errstate(invalid="ignore"):
        close = np.abs(measured - true) <= tolerance
    agree = close | (measured == true) | (np.isnan(measured) & np.isnan(true))
    if not agree.all():
        bound = np.broadcast_to(tolerance, true.shape)[~agree][0]
        what, measured, true = window(what, int((~agree).argmax()), measured, true)
        contradict(f"{what} (tolerance {bound:.3g})", true, measured)


def refused(call: Callable[[], object], what: str, words: str = "") -> None:
    """A verified call: the release raises an error. Raises Violation where it answers instead.

    `words` is a pattern that the beginning of its type and message, `IndexError: …`, has to match.
    A GPU's kernel refuses by an assertion of its own (PaddlePaddle/PaddleOCR#8635), whose words go
    to the terminal, and after which the process can ask it nothing more: then the process ends.
    """
    ledger.calls += 1
    due = f"an error that says {words}" if words else "an error"
    try:
        answer = call()
        device.synchronize()
    except Exception as error:
        said = f"{type(error).__name__}: {in_one_line(error)}"
        if device.trouble() is not None:
            leave(said, refused=bool(ASSERTED.search(said + journal.said_by_kernel())))
        if not re.match(words, said):
            contradict(what, due, said, "error")
        return
    contradict(what, due, answer)


def leave(said: str, refused: bool = False) -> NoReturn:
    """The device no longer answers: end this process, which is replaced, while the property runs.

    `refused` is whether that was due. What the property came to is left in the journal; without
    one, plain pytest ends.
    """
    if journal.worker is None:
        ends = "is refused, as is due" if refused else "is lost"
        told = f"the device ends this process ({journal.property} {ends}): {said}"
        pytest.exit(f"{told}; `nox -s here` goes on after it", returncode=3)
    counted = {"calls": ledger.calls, "examples": ledger.examples}
    journal.left = {"said": said, "asserted": refused, **counted}
    journal.write(ledger.case)
    os._exit(3)


def contradict(what: str, expected: object, actual: object, severity: Severity = "silent") -> None:
    """Keep that an answer is wrong. Raises Violation where that ends the example."""
    violation = Violation(what, expected, actual)
    if ledger.keep(severity, violation):
        raise violation


def shown(value: object) -> str:
    """`value` in at most a few lines: long arrays by their ends and their size."""
    if not isinstance(value, np.ndarray):
        text = printable(str(value))
        return text if len(text) <= 600 else f"{text[:600]}…"
    text = np.array2string(value, threshold=LONG, edgeitems=6, separator=", ", max_line_width=96)
    return f"{text} ({value.dtype}, shape {list(value.shape)})"
