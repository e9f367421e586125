"""Records from elsewhere, taken in beside those that were measured here.

A record from elsewhere is data: it is read, never run, and its file is named anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from paddlecompat import records


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
        gathered = records.gather_files(files)
        refused += gathered.errors
        for record in gathered.records:
            try:
                kept = records.keep(record, folder)
            except (OSError, ValueError) as error:
                refused.append(records.printable(f"{record.file_name}: cannot be written: {error}"))
                continue
            taken.append(f"{record.file_name}: {'taken' if kept else 'the one here stays'}")
    return taken, refused
