"""Records as files: written, read back, and taken in from elsewhere.

A record from elsewhere is data: it is read, never run, and its file is named anew.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path, PurePath, PureWindowsPath

from paddlecompat.fixtures.folders import ROOT
from paddlecompat.fixtures.forms import printable, read_as, write_text
from paddlecompat.records.profiles import PROFILES
from paddlecompat.records.record import Record


def write(record: Record, folder: Path) -> Path:
    """Write atomically: a reader sees the old record or the new one, never half of one."""
    path = folder / record.file_name
    write_text(path, record.model_dump_json(indent=1) + "\n")
    return path


def read(path: Path) -> Record:
    """One record. Raises ValueError with one line that names the file and the field."""
    return read_as(Record, path)


def last_measured(like: Record, folders: Iterable[Path]) -> Record | None:
    """The record of the same cell and host in the first folder that has one that was measured."""
    for folder in folders:
        with suppress(OSError, ValueError):
            found = read(folder / like.file_name)
            if found.properties:
                return found
    return None


def keep(record: Record, folder: Path) -> bool:
    """Write the record unless the one that is there stays; return whether it was written.

    A record of a cell that could not be run, for the same reason as before, is not written again.
    """
    with suppress(OSError, ValueError):  # there is none, or none that can be read
        there = read(folder / record.file_name)
        same = record.not_run is not None and record.not_run == there.not_run
        if same or record == there or standing(record) < standing(there):
            return False
    write(record, folder)
    return True


def standing(record: Record) -> tuple[int, bool, datetime]:
    """What two records of a cell, host and build are compared by: the greater one stays.

    Measured before not run, then more examples, then a build that the fixtures lock, then newer.
    """
    profile = PROFILES.get(record.profile)
    examples = -1 if record.not_run else profile.examples if profile else 0
    return examples, bool(record.build and record.build.locked), record.measured_at


def gather(path: Path, stand_ins: bool = False) -> tuple[list[Record], list[str]]:
    """The records in a folder, or in a file, that may be shown; and a line for each other file.

    With `stand_ins` these are the records made with a stand-in device, without it the others.
    """
    records: list[Record] = []
    errors: list[str] = []
    for file in [path] if path.is_file() else sorted(path.glob("*.json")):
        try:
            record = read(file)
            if stand_ins != (record.stand_in is not None):
                why = f"made with a stand-in device ({record.stand_in}): measure it on a real one"
                why = "there is none: this page is for stand-ins alone" if stand_ins else why
                raise ValueError(f"{file}: stand_in: {why}")
            records.append(record)
        except ValueError as error:
            errors.append(printable(str(error)))
        except OSError as error:
            errors.append(printable(f"{file}: cannot be read: {error.strerror}"))
    return records, errors


def merge(sent: Iterable[Path], folder: Path) -> tuple[list[str], list[str]]:
    """Take the records in these files and folders into `folder`, each under a name of its own.

    Returns a line for each record, which says whether it was kept (see `standing`), and a line for
    each file that is refused, with its field and what to do.
    """
    taken, refused = [], []
    for path in sent:
        records, errors = gather(path)
        refused += errors
        if not (records or errors):
            refused.append(f"{path}: no record there: name one, or a folder that holds *.json")
        for record in records:
            try:
                kept = keep(record, folder)
            except (OSError, ValueError) as error:
                refused.append(printable(f"{record.file_name}: cannot be written: {error}"))
                continue
            taken.append(f"{record.file_name}: {'taken' if kept else 'the one here stays'}")
    return taken, refused


def impersonal(text: str, root: PurePath = ROOT) -> str:
    """Without the folders of this machine: a record names no person and no machine.

    On Windows a path may be written with either slash, with doubled ones, and in any case.
    """
    folders = {root: ".", Path(tempfile.gettempdir()): "TMP", Path.home(): "~"}
    for folder in sorted(folders, key=lambda folder: -len(folder.parts)):  # one may hold another
        parts = [part.strip("\\/") for part in folder.parts]
        if len(parts) < 2:  # a home of "/" is in every path
            continue
        path = r"[\\/]+".join(map(re.escape, parts))
        flags = re.IGNORECASE if isinstance(folder, PureWindowsPath) else 0
        text = re.sub(rf"{path}(?=[\\/\s'\":,]|$)", folders[folder], text, flags=flags)
    return text
