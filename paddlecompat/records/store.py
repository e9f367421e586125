"""Records from elsewhere, taken in beside those that were measured here.

A record from elsewhere is data: it is read, never run, and its file is named anew.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePath, PureWindowsPath

from paddlecompat.fixtures import forms
from paddlecompat.fixtures.folders import ROOT
from paddlecompat.fixtures.forms import printable, read_as, write_text
from paddlecompat.records import store
from paddlecompat.records.record import (
    THOROUGHNESS,
    Evidence,
    PropertyResult,
    Record,
)


def write(record: Record, folder: Path) -> Path:
    """Write atomically: a reader sees the old record or the new one, never half of one."""
    path = folder / record.file_name
    write_text(path, record.model_dump_json(indent=1) + "\n")
    return path


def keep(record: Record, folder: Path) -> bool:
    """Write the record unless the one that lies there is to stay; whether it was written.

    One that tells the same of what could not be run is not written again.
    """
    with suppress(OSError, ValueError):  # there is none, or none that can be read
        there = read(folder / record.file_name)
        same = record.not_run is not None and record.not_run == there.not_run
        if same or record == there or standing(record) < standing(there):
            return False
    write(record, folder)
    return True


def standing(record: Record) -> tuple[int, bool, datetime]:
    """The higher one stays: what was measured before a `not run`, by more examples, the newer.

    Of as many examples, a build that the fixtures lock stays before one that nobody checked.
    """
    examples = THOROUGHNESS.get(record.profile, 0) if record.not_run is None else -1
    return examples, bool(record.build and record.build.locked), record.measured_at


@dataclass
class Gathered:
    """The records of a folder, and a line for each file that is not one."""

    records: list[Record] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def read(path: Path) -> Record:
    """One record.

    Raises ValueError with one line that names the file and the field.
    """
    return read_as(Record, path)


def gather(folder: Path, stand_ins: bool = False) -> Gathered:
    """Every record in `folder` that may be shown; each of the others costs only itself.

    `stand_ins` is for a page that says so: those made with a stand-in device, and no other.
    """
    return gather_files(sorted(folder.glob("*.json")), stand_ins)


def gather_files(paths: Iterable[Path], stand_ins: bool = False) -> Gathered:
    """The records that may be shown, and one line for each file that is damaged or foreign."""
    gathered = Gathered()
    for path in paths:
        try:
            gathered.records.append(to_show(path, stand_ins))
        except ValueError as error:
            gathered.errors.append(printable(str(error)))
        except OSError as error:
            gathered.errors.append(printable(f"{path}: cannot be read: {error.strerror}"))
    return gathered


def to_show(path: Path, stand_ins: bool) -> Record:
    """One record that was measured on a real device, or on none; or with a stand-in.

    Raises ValueError with one line that names the file, the field and what to do.
    """
    record = read(path)
    if record.stand_in is not None and not stand_ins:
        raise ValueError(
            f"{path}: stand_in: made with a stand-in device ({record.stand_in}), which shows "
            "nothing of the release: measure it on a real one"
        )
    if record.stand_in is None and stand_ins:
        raise ValueError(f"{path}: stand_in: there is none: this page is for stand-ins alone")
    return record


def merge(sent: Iterable[Path], folder: Path) -> tuple[list[str], list[str]]:
    """Take the records in these files and folders into `folder`, each under a name of its own.

    Returns what became of those that are records, one line each, and one line for each file that is
    refused, with its field and what to do. Which record of a cell, host and build stays is for
    `records.standing` to say.
    """
    taken, refused = [], []
    for path in sent:
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not files:
            refused.append(f"{path}: no record in this folder: name one that holds *.json")
        gathered = store.gather_files(files)
        refused += gathered.errors
        for record in gathered.records:
            try:
                kept = store.keep(record, folder)
            except (OSError, ValueError) as error:
                refused.append(forms.printable(f"{record.file_name}: cannot be written: {error}"))
                continue
            taken.append(f"{record.file_name}: {'taken' if kept else 'the one here stays'}")
    return taken, refused


def impersonal(text: str, root: PurePath = ROOT) -> str:
    """Without the folders of this machine: a record names no person and no machine.

    On Windows a path may be written with either slash, with doubled ones, and in any case.
    """
    for folder, name in ((root, "."), (Path(tempfile.gettempdir()), "TMP"), (Path.home(), "~")):
        parts = [part.strip("\\/") for part in folder.parts]
        if len(parts) < 2:  # a home of "/" is in every path
            continue
        path = r"[\\/]+".join(map(re.escape, parts))
        flags = re.IGNORECASE if isinstance(folder, PureWindowsPath) else 0
        text = re.sub(rf"{path}(?=[\\/\s'\":,]|$)", name, text, flags=flags)
    return text


def without_folders(result: PropertyResult) -> PropertyResult:
    """The result with all of its words made impersonal."""
    said = {"message": impersonal(result.message), "case": result.case and impersonal(result.case)}
    if result.evidence is None:
        return result.model_copy(update=said)
    evidence = {name: impersonal(text) for name, text in result.evidence.model_dump().items()}
    return result.model_copy(update={**said, "evidence": Evidence(**evidence)})
