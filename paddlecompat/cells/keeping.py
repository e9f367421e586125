"""Once a cell was measured: keep its record and its scripts, and judge it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from paddlecompat.cells.option_set import Options
from paddlecompat.fixtures import forms
from paddlecompat.fixtures.bugs import Known
from paddlecompat.folders import RECORDS, shown
from paddlecompat.records import judging, store
from paddlecompat.records.judging import Judgement
from paddlecompat.records.record import Record


@dataclass(frozen=True)
class Filled:
    """A cell's record, how it compares with what is expected, and where things lie."""

    record: Record
    judgement: Judgement
    kept: str
    """Where the record is, in words."""
    scripts: Mapping[str, Path]
    """The script of each violation, by the property's key."""


def conclude(record: Record, known: Known, options: Options, folder: Path) -> Filled:
    """Keep the record and the scripts, and judge it by what is expected of what was asked for."""
    judgement = judging.judge(record, known)
    conditions = record.conditions
    whole = conditions is None or len(record.properties) >= conditions.properties
    if options.keyword is not None or not (whole or record.lost):
        judgement.absent.clear()  # what was not asked for is not missing
    return Filled(record, judgement, keep(record, options, folder), write_scripts(record, folder))


def keep(record: Record, options: Options, folder: Path) -> str:
    """Write the record; where it went, in words."""
    by_stand_in = "a stand-in" if record.stand_in and options.records == RECORDS else ""
    if apart := record.partial or by_stand_in:
        return f"{shown(store.write(record, folder))} (of {apart}: kept out of the table)"
    where = shown(options.records / record.file_name)
    as_it_was = " (as it was: it says the same, is newer, or was measured with more examples)"
    return where if store.keep(record, options.records) else where + as_it_was


def write_scripts(record: Record, folder: Path) -> dict[str, Path]:
    """Write each violation's script as a file, ready to run or to paste; its path by property."""
    scripts = {}
    for result in record.properties:
        if result.evidence is not None and result.evidence.script:
            name = re.sub(r"[^A-Za-z0-9_.-]+", "-", f"{result.group}-{result.name}").strip("-")
            scripts[result.key] = folder / "scripts" / f"{name}.py"
            forms.write_text(scripts[result.key], result.evidence.script)
    return scripts
