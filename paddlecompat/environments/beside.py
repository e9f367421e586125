"""The test tools that stand beside an interpreter, which keeps its own Paddle and NumPy."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from paddlecompat.environments.installer import run_installer
from paddlecompat.fixtures.folders import ROOT
from paddlecompat.fixtures.forms import write_text
from paddlecompat.fixtures.releases import REQUIREMENTS
from paddlecompat.machine import interpreters

HERE = ROOT / ".nox" / "here"
TOOLS = REQUIREMENTS / "here.txt"
OLDEST = (3, 9)  # what the tools are locked for
READ_ONLY = {"PYTHONDONTWRITEBYTECODE": "1"}
PLUGINS = ("xdist.plugin", "pytest_timeout", "pytest_reportlog.plugin", "_hypothesis_pytestplugin")


def tools(interpreter: Path, python: str) -> Path:
    """The folder of the test tools for CPython `python`: made once, then reused.

    Raises CannotRun where they cannot be installed.
    """
    folder = HERE / f"py{python.replace('.', '')}"
    stamp, wanted = folder / TOOLS.name, TOOLS.read_text(encoding="utf-8")
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return folder
    print(f"putting the test tools for CPython {python} into .nox/here/{folder.name}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    run_installer(installer(interpreter, folder))
    write_text(stamp, wanted)
    return folder


def installer(interpreter: Path, folder: Path) -> list[str]:
    """The command that puts the tools into the folder, by uv or pip, as that interpreter needs."""
    uv = interpreters.uv()
    if uv is not None:
        command = [uv, "pip", "install", "--python", str(interpreter)]
    else:
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
        command = [*pip, "--python", str(interpreter), "install"]
    locked = ("--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:")
    return [*command, *locked, "--target", str(folder), "--requirement", str(TOOLS)]


def settings(folder: Path) -> dict[str, str]:
    """The environment variables with which a process of the interpreter sees the tools.

    Paddle, NumPy and all else that is not a tool are the interpreter's own; what both have, as
    typing_extensions, is the tools'. Its plugins of pytest stay away, and its folders as they are.
    """
    return {
        **READ_ONLY,
        "PYTHONPATH": str(folder),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_PLUGINS": ",".join(PLUGINS),
    }
