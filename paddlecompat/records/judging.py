"""TODO."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from paddlecompat.fixtures.expectations import Expectation
from paddlecompat.records.record import UNSOUND, PropertyResult, Record

Standing = Literal["as expected", "worse", "better"]


@dataclass(frozen=True)
class Judgement:
    """How a cell compares with what is expected of it."""

    measured: bool = False
    new: list[PropertyResult] = field(default_factory=list)
    """Violations that no expectation explains."""
    known: list[tuple[PropertyResult, Expectation]] = field(default_factory=list)
    """Violations that one explains, each with the first that does."""
    gone: list[Expectation] = field(default_factory=list)
    """What they expect was looked for, and holds now."""
    absent: list[Expectation] = field(default_factory=list)
    """They name no property of this record: removed, renamed or misspelt."""

    @property
    def standing(self) -> Standing | None:
        """None where nothing was measured; worse where something is both new and gone."""
        if not self.measured:
            return None
        return "worse" if self.new else "better" if self.gone else "as expected"


def judge(record: Record, expectations: Sequence[Expectation]) -> Judgement:
    """Compare a cell with what is expected of it."""
    if record.verdict == "not run":
        return Judgement()
    here = [expectation for expectation in expectations if expectation.concerns(record)]
    judgement = Judgement(measured=True)
    for result in record.properties:
        if result.outcome not in UNSOUND:
            continue
        cause = next((expectation for expectation in here if expectation.explains(result)), None)
        if cause is None:
            judgement.new.append(result)
        else:
            judgement.known.append((result, cause))
    for expectation in here:
        named = [result for result in record.properties if expectation.names(result)]
        if not named:
            judgement.absent.append(expectation)
        elif (
            not expectation.sometimes
            and not any(expectation.explains(r) for r in named)
            and any(r.outcome == "holds" for r in named)
        ):
            judgement.gone.append(expectation)
    return judgement
