"""Measure PaddlePaddle releases, and make the table: what the Nox sessions call.

Each command is a session of Nox, too: `python -m paddlecompat cpu-2.3.2 --profile quick` does what
`nox -s cpu-2.3.2 -- --profile quick` does.
"""

from __future__ import annotations

import io
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

from paddlecompat.cells import filling
from paddlecompat.cells.option_set import ABOUT_MUTANTS, Options, check
from paddlecompat.commands import COMMANDS, meaning
from paddlecompat.fixtures import bugs, forms, releases
from paddlecompat.fixtures.releases import Cell, Fixture
from paddlecompat.folders import NOX, shown
from paddlecompat.machine.command_line import Command, options_from
from paddlecompat.machine.host import what_is_short
from paddlecompat.machine.processes.children import interruptible
from paddlecompat.records.judging import Outcome, Status, status_of
from paddlecompat.records.record import CannotRun, MachineFailed
from paddlecompat.report import terminal, wheel_pages
from paddlecompat.studies.host_half import session as host_half


def main() -> int:
    """Run one command. Returns the exit status, whose meanings `records/judging.py` has."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console may lack some of the characters
            stream.reconfigure(errors="replace")
    try:
        came = run(sys.argv[1:])
    except KeyboardInterrupt:  # it has been told
        return Status.MACHINE_FAILED
    if came.status:
        print(came.words, file=sys.stderr)
    return came.status


def run(arguments: Sequence[str]) -> Outcome:
    """Run one command; what came of it. Raises KeyboardInterrupt as `guarded`."""
    name, rest = (arguments or ["--help"])[0], arguments[1:]
    return guarded(name, lambda: run_command(name, rest))


def run_command(name: str, rest: Sequence[str]) -> Outcome | Status:
    """As `run`; what ends a command is raised."""
    if name in ("-h", "--help"):
        cells = "  cpu-2.3.2  Measure one release at one place; `nox -l` lists the cells."
        head = "usage: python -m paddlecompat COMMAND [options]\n   or: nox -s COMMAND -- [options]"
        lines = [f"  {name:<10} {command.help}" for name, command in COMMANDS.items()]
        print(head, "", __doc__, cells, *lines, "", "COMMAND --help says more.", sep="\n")
        return Status.AS_EXPECTED
    fixture = releases.load()
    command = COMMANDS.get(name) or host_command(name, fixture)
    command = command or cell_command(releases.cell_named(name, fixture))
    came: Outcome | Status = command.run(command.parser().parse_args(rest), fixture)
    return came


def guarded(name: str, action: Callable[[], Outcome | Status]) -> Outcome:
    """What came of a command, be it an error, in the words of `Status`.

    Raises KeyboardInterrupt, told in a line, on SIGINT or SIGTERM: all that was started has ended.
    """
    try:
        with interruptible():
            came = action()
    except KeyboardInterrupt as signal:
        kept = "what had ended before is kept" if name in COMMANDS else "nothing of it was recorded"
        print(f"{name}: interrupted by {signal}; {kept}", file=sys.stderr, flush=True)
        raise
    except SystemExit as ended:  # argparse has said what is wrong, or has given help
        came = Status.WRONG_OPTIONS if ended.code else Status.AS_EXPECTED
    except (ValueError, OSError, CannotRun, MachineFailed) as error:
        status = Status.WRONG_OPTIONS if isinstance(error, ValueError) else Status.MACHINE_FAILED
        folder = Path(str(getattr(error, "filename", None) or NOX))
        short = what_is_short(folder, str(error)) if isinstance(error, OSError) else None
        return Outcome(cell=name, status=status, words=f"error: {short or error}")
    if isinstance(came, Outcome):
        return came
    return Outcome(cell=name, status=came, words=f"{name}: {Status(came).words}")


def cell_command(cell: Cell) -> Command:
    """The command of one cell; its argument is for `matrix`."""

    def fill(parsed: Namespace, fixture: Fixture) -> Outcome:
        options = check(options_from(Options, parsed), cell.kind)
        came = fill_cell(cell, fixture, options)
        if parsed.outcome is not None:
            forms.write_text(parsed.outcome, came.model_dump_json() + "\n")
        return came

    about = f"Measure PaddlePaddle {cell.release.version} on the {cell.place.upper()}."
    outcome = [{"name": "--outcome", "type": "path"}]
    return Command(cell.name, fill, Options, about, "cell", outcome, epilog=ABOUT_MUTANTS)


def host_command(name: str, fixture: Fixture) -> Command | None:
    """The command of a release's host half, as 'host-2.3.2'; None: it is none."""
    release = next((r for r in fixture.release if f"host-{r.version}" == name), None)
    if release is None:
        return None

    def measure(parsed: Namespace, fixture: Fixture) -> Status:
        answer, kept = host_half.run_session(release, parsed, fixture)
        new = answer.new(bugs.load())
        told = [f"no bug explains {output.name}, {output.dtype}" for output in new]
        lines = wheel_pages.host_lines(answer)
        print("", *lines, *told, f"record: {shown(kept)}", sep="\n")
        return Status.WORSE if answer.differing or new else Status.AS_EXPECTED

    about = f"Run the host half of PaddlePaddle {release.version}'s GPU build on a made-up driver."
    return Command(name, measure, Options, about, arguments=host_half.ARGUMENTS)


def fill_cell(cell: Cell, fixture: Fixture, options: Options) -> Outcome:
    """Fill one cell, and print how it ended."""
    filled = filling.fill(cell, fixture, options)
    record = filled.record
    lines = terminal.verdict_lines(record, filled.judgement, filled.scripts)
    lines += ["", *told] if (told := meaning(record, options, fixture)) else []
    more = [*terminal.build_lines(record), *wheel_pages.said_lines(record)]
    print("", *lines, *more, f"record: {filled.kept}", sep="\n", flush=True)
    status = status_of(record, filled.judgement, options.strict, options.require_device)
    words = " ".join(map(str.strip, lines)) if record.not_run else lines[0]
    nothing = record.verdict == "not run"
    return Outcome(cell=cell.name, status=status, words=words, nothing_ran=nothing)


if __name__ == "__main__":
    sys.exit(main())
