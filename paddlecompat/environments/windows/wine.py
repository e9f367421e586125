"""Wine, which runs Windows' programs on Linux: its version, how a program is run, its server."""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path

from paddlecompat.fixtures.releases import Cell
from paddlecompat.folders import environment_of
from paddlecompat.machine import host
from paddlecompat.machine.processes import plain_environment, run_checked, start
from paddlecompat.records.record import CannotRun, MachineFailed, NotRun
from paddlecompat.records.subject import Host

SETTINGS = {
    "WINEDEBUG": "-all",
    # No menus on the desktop, no debugger for what crashes, no download of .NET and of a browser.
    "WINEDLLOVERRIDES": "mscoree,mshtml=;winemenubuilder.exe,winedbg.exe=d",
    "DISPLAY": "",  # no window
}
RUN = Path(__file__).with_name("run.sh")


def is_needed(cell: Cell) -> bool:
    """Whether the cell measures a Windows build, and this machine is no Windows."""
    return cell.kind == "windows" and os.name != "nt"


def version() -> str | None:
    """Wine's version, as '8.0'; None: there is no Wine."""
    if shutil.which("wineserver") is None:
        return None
    said = re.match(r"wine-(\S+)", run_checked(["wine", "--version"], SETTINGS).output)
    return said[1] if said else None


def check() -> None:
    """Raise CannotRun, `no Wine`, where there is none."""
    if version() is None:
        way = "on Debian and Ubuntu: apt-get install wine"
        detail = f"Windows builds run under Wine here, and this machine has none ({way})"
        raise CannotRun(NotRun(reason="no Wine", detail=detail))


def describe(python: str) -> Host:
    """This host, for a Windows build on CPython `python`; without Wine, what it is otherwise."""
    here, found, name = host.describe(python), version(), "Linux"
    if found is None:
        return here
    with suppress(OSError, KeyError, AttributeError):  # as macOS has none
        about = platform.freedesktop_os_release()
        name = f"{about['NAME'].removesuffix(' GNU/Linux')} {about['VERSION_ID']}"
    under = {"os": f"Windows build under Wine {found} on {name}", "libc": f"Wine {found}"}
    return here.model_copy(update=under)


def prefix_of(folder: Path) -> Path:
    """Wine's own folder for an environment: drive C:, the registry. It lies beside, for a run."""
    return folder.with_name(f"{folder.name}.wine")


def settings_for(folder: Path) -> dict[str, str]:
    """The variables with which Wine runs the programs of an environment."""
    prefix = str(prefix_of(folder))
    return {**SETTINGS, "WINEPREFIX": prefix, "HOME": prefix}


def write_command(folder: Path, program: Path) -> None:
    """Make a command of a Windows program: the environment's `bin/python`, say."""
    command = folder / "bin" / program.stem
    command.parent.mkdir(exist_ok=True)
    variables = [f"export {name}={shlex.quote(v)}" for name, v in settings_for(folder).items()]
    lines = RUN.read_text(encoding="utf-8").replace("PROGRAM", shlex.quote(str(program)))
    command.write_text(lines.replace("# VARIABLES", "\n".join(variables)), encoding="utf-8")
    command.chmod(0o755)


def server_for(cell: Cell) -> AbstractContextManager[object]:
    """As `served`; nothing where the cell needs no Wine, or there is none."""
    there = is_needed(cell) and version() is not None
    return served(environment_of(cell.name)) if there else nullcontext()


@contextmanager
def served(folder: Path) -> Iterator[None]:
    """Have Wine's server for an environment's Windows processes, which all end with it.

    Wine starts it, and Windows' services, for the first of its programs, and ends them after the
    last: here one that waits for as long. Raises MachineFailed where Wine does not start.
    """
    prefix, settings = prefix_of(folder), settings_for(folder)
    shutil.rmtree(prefix, ignore_errors=True)  # of a run that was killed
    prefix.mkdir(parents=True)
    booted = run_checked(["wine", "cmd", "/c", "exit"], settings, seconds=600)
    if booted.problem:
        raise MachineFailed(f"Wine cannot be started: {booted.problem}")
    environment, nowhere = plain_environment(settings), subprocess.DEVNULL
    # The services hold its output open, so nothing may wait for its end.
    streams = {"stdin": subprocess.PIPE, "stdout": nowhere, "stderr": nowhere}
    waiting = start(["wine", "cmd", "/c", "pause"], environment, prefix, **streams)
    try:
        yield
    finally:
        waiting.kill()
        with suppress(KeyboardInterrupt):  # after an interruption nothing is started any more
            run_checked(["wineserver", "--kill"], settings)
        shutil.rmtree(prefix, ignore_errors=True)
