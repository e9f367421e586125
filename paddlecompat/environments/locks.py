"""Lock the environment of every build on PyPI, with hashes, for every platform: `nox -s lock`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from paddlecompat.fixtures import releases
from paddlecompat.fixtures.releases import REQUIREMENTS, Fixture
from paddlecompat.machine.interpreters import UV
from paddlecompat.machine.processes import run_checked

HERE = "here"  # names the test tools of `nox -s here`, which no release has a part in
TOOLS = REQUIREMENTS / "here.txt"
OLDEST = "3.9"  # the CPython that the test tools are locked for, and all that come after


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
