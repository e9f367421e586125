"""What uv does: it locks what the environments hold, with hashes, and installs it."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from paddlecompat.fixtures import releases
from paddlecompat.fixtures.builds import REQUIREMENTS
from paddlecompat.fixtures.releases import Fixture
from paddlecompat.folders import NOX
from paddlecompat.machine import host
from paddlecompat.machine.index import settings_for_uv
from paddlecompat.machine.interpreters import UV
from paddlecompat.machine.processes import Settings, run_checked
from paddlecompat.records.record import MachineFailed

HERE = "here"  # names the test tools of `nox -s here`, which no release has a part in
TOOLS = REQUIREMENTS / "here.txt"
OLDEST = "3.9"  # the CPython that the test tools are locked for, and all that come after


def python_of(environment: Path, system: str = os.name) -> Path:
    """The interpreter of a virtual environment; `system` is an `os.name`."""
    return environment / ("Scripts/python.exe" if system == "nt" else "bin/python")


def install(python: Path, *arguments: str, uv: str = UV) -> None:
    """Install for `python` what the arguments name, and nothing else. Raises as `run_uv`."""
    run_uv(uv, "pip", "install", "--quiet", "--no-deps", "--python", python, *arguments)


def run_uv(*command: str | Path) -> None:
    """Run uv, whose program comes first. Raises MachineFailed with its words where it fails."""
    run(*command, settings=settings_for_uv())


def run(*command: str | Path, settings: Settings = None) -> None:
    """Run what installs. Raises MachineFailed with its words where it fails."""
    ended = run_checked(command, settings, seconds=None, show_output=True)
    if ended.problem:
        raise install_failed(ended.last_error)


def install_failed(detail: str, folder: Path = NOX) -> MachineFailed:
    """Why it failed; before that what ran out, where the disk is that of `folder`."""
    short = host.what_is_short(folder, detail)
    return MachineFailed(f"{short}: {detail}" if short else detail)


def discard(folder: Path, stamp: str) -> None:
    """Delete what lies there, whatever it is: its stamp first, so that no half of it looks made."""
    for path in (folder / stamp, folder):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(FileNotFoundError, NotADirectoryError):
                path.unlink()


def lock(fixture: Fixture, names: list[str], uv: str = UV) -> None:
    """Lock these releases ("here": the test tools), or all. Raises ValueError where that fails."""
    wanted = [name for name in names if name != HERE]
    for release in releases.named(fixture, wanted) if wanted or not names else []:
        # Paddle's own index may be out of reach; its builds go with the locks of the others.
        for build in [build for build in release.builds if build.index == "pypi"]:
            lines = [f"{build.distribution}=={build.version}", *release.requires]
            with tempfile.TemporaryDirectory() as folder:
                build_in = Path(folder, "build.in")
                build_in.write_text("\n".join(lines) + "\n", encoding="utf-8")
                inputs = [build_in, REQUIREMENTS / "suite.in"]
                compile_lock(uv, build.lock, release.version, release.python, inputs)
    if not names or HERE in names:
        compile_lock(uv, TOOLS, HERE, OLDEST, [TOOLS.with_suffix(".in")])


def compile_lock(uv: str, lock: Path, name: str, python: str, inputs: list[Path]) -> None:
    """Write the lock of what the inputs ask for, for CPython `python` and all that come after."""
    print(f"locking {lock.name}", flush=True)
    command = [
        *(uv, "pip", "compile", "--quiet", "--upgrade", "--universal", "--generate-hashes"),
        *("--python-version", python, "--no-annotate", "--no-emit-index-url"),
        *("--custom-compile-command", f"nox -s lock -- {name}"),
        *("--only-binary", ":all:", "--config-file", str(REQUIREMENTS / "uv.toml")),
        *("--output-file", str(lock), *map(str, inputs)),
    ]
    ended = run_checked(command, seconds=None)
    if ended.problem:
        raise ValueError(f"{name} cannot be locked:\n{ended.complaint.strip()}")
