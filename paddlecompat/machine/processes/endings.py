"""How a child process ended, and what it said of the cause."""

from __future__ import annotations

import re
from dataclasses import dataclass
from signal import strsignal

# Of pip and uv; the signs are those of uv's longer messages.
STATEMENT = re.compile("^\\s*(error:|\N{MULTIPLICATION SIGN})\\s*", re.IGNORECASE)
CONTINUED = re.compile(r"^\s*(cause:|Caused by:|hint:|[├╰]─▶|│)\s*")
TELLING = re.compile(  # an errno or an HTTP status
    r"\[(Errno|WinError) -?\d+\]|\(?os error \d+|\b(HTTP error )?[45]\d\d [A-Z]\w+"
)
RAISED = re.compile(r"^[\w.]*(Error|Exception): .*", re.MULTILINE)  # a message of many lines begins
CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
TOOK_ITS_TIME = "no end in time"


def cause_in(complaint: str) -> str:
    """Of what pip, uv or another program wrote on its standard error, what says most, in a line.

    That is its last `error:`, with the causes that uv lists below; but rather a line that names an
    errno or an HTTP status, and otherwise what Python raised last, or the last line. Without the
    credentials of an address.
    """
    lines: list[str] = []
    for line in filter(str.strip, complaint.splitlines()):
        if lines and CONTINUED.match(line):
            joint = " " if line.lstrip().startswith("│") else ": "
            lines[-1] += joint + CONTINUED.sub("", line).strip()
        else:
            lines.append(line.strip())
    errors = [line for line in lines if STATEMENT.match(line)]
    telling = [line for line in lines if errors and TELLING.search(line)]
    if errors and re.fullmatch(r"ERROR:( Exception:)?", errors[-1]):  # pip's own, with a traceback
        errors = []
    raised = [found[0] for found in RAISED.finditer(complaint.rpartition("Traceback (most")[2])]
    said = (telling or errors or raised or lines or ["no words"])[-1]
    return CREDENTIALS.sub("", said)


@dataclass(frozen=True)
class Ended:
    """How a child process ended."""

    output: str
    complaint: str
    """Its standard error; or why it did not start, or did not end in time."""
    status: int | None
    """None: it did not start, or did not end in time."""

    @property
    def said(self) -> str:
        """The last line of JSON that it printed, else its last line: libraries may add words."""
        lines = self.output.strip().splitlines()
        data = [line for line in lines if line.startswith(("{", "["))]
        return (data or lines or [""])[-1]

    @property
    def last_error(self) -> str:
        """What its complaint says of the cause."""
        return cause_in(self.complaint)

    @property
    def problem(self) -> str | None:
        """In a line, how it failed; None where it did not."""
        if self.status is None:
            return self.complaint
        if self.status < 0:
            return f"ended by signal {-self.status} ({strsignal(-self.status)}), {self.last_error}"
        return f"exit status {self.status}, {self.last_error}" if self.status else None
