"""Lock the environment of every build on PyPI, with hashes, for every platform: `nox -s lock`."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from paddlecompat.fixtures import releases
from paddlecompat.fixtures.releases import REQUIREMENTS, Build, Fixture, Release
from paddlecompat.machine import interpreters
from paddlecompat.machine.processes import run_checked

HERE = "here"  # names the test tools of `nox -s here`, which no release has a part in
TOOLS = REQUIREMENTS / "here.txt"
OLDEST = (3, 9)  # the CPython that the test tools are locked for, and all that come after


def lock(fixture: Fixture, names: list[str]) -> None:
    """Lock the named releases, and the test tools where "here" is named; or all of these.

    Raises ValueError where a name is unknown, uv is missing, or nothing satisfies a release.
    """
    wanted = [name for name in names if name != HERE]
    for release in releases.named(fixture, wanted) if wanted or not names else []:
        # Paddle's own index may be out of reach; its builds go with the locks of the others.
        for build in [build for build in release.builds if build.index == "pypi"]:
            lock_build(release, build)
    if not names or HERE in names:
        compile_lock(TOOLS, HERE, "{}.{}".format(*OLDEST), [TOOLS.with_suffix(".in")])


def lock_build(release: Release, build: Build) -> None:
    wanted = [f"{build.distribution}=={build.version}", *release.requires]
    with tempfile.TemporaryDirectory() as folder:
        build_in = Path(folder) / "build.in"
        build_in.write_text("\n".join(wanted) + "\n", encoding="utf-8")
        inputs = [build_in, REQUIREMENTS / "suite.in"]
        compile_lock(build.lock, release.version, release.python, inputs)


def compile_lock(lock: Path, name: str, python: str, inputs: Sequence[Path]) -> None:
    """Write the lock of what the inputs ask for, for CPython `python` and all that come after."""
    uv = interpreters.uv()
    if uv is None:
        raise ValueError("uv is not on the PATH; `nox -s lock` installs it")
    print(f"locking {lock.name}", flush=True)
    command = [
        *(uv, "pip", "compile", "--quiet", "--upgrade", "--universal", "--generate-hashes"),
        *("--python-version", python, "--no-annotate", "--no-emit-index-url"),
        *("--custom-compile-command", f"nox -s lock -- {name}"),
        *("--only-binary", ":all:", "--config-file", str(REQUIREMENTS / "uv.toml")),
        *("--output-file", str(lock)),
        *map(str, inputs),
    ]
    ended = run_checked(command, seconds=None)
    if ended.problem:
        raise ValueError(f"{name} cannot be locked:\n{ended.complaint.strip()}")
