"""Lock the environment of every build on PyPI, with hashes, for every platform: `nox -s lock`."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from paddlecompat import interpreters, releases
from paddlecompat.releases import REQUIREMENTS, Build, Fixture, Release


def lock(fixture: Fixture, versions: list[str]) -> None:
    """Lock the named releases, or all.

    Raises ValueError where a name is unknown, uv is missing, or nothing satisfies a release.
    """
    for release in releases.named(fixture, versions):
        # Paddle's own index may be out of reach; its builds go with the locks of the others.
        for build in [build for build in release.builds if build.index == "pypi"]:
            print(f"locking {build.lock.name}", flush=True)
            lock_build(release, build)


def lock_build(release: Release, build: Build) -> None:
    uv = interpreters.uv()
    if uv is None:
        raise ValueError("uv is not on the PATH; `nox -s lock` installs it")
    wanted = [f"{build.distribution}=={build.version}", *release.requires]
    with tempfile.TemporaryDirectory() as folder:
        build_in = Path(folder) / "build.in"
        build_in.write_text("\n".join(wanted) + "\n", encoding="utf-8")
        command = [
            *(uv, "pip", "compile", "--quiet", "--upgrade", "--universal", "--generate-hashes"),
            *("--python-version", release.python, "--no-annotate", "--no-emit-index-url"),
            *("--custom-compile-command", f"nox -s lock -- {release.version}"),
            *("--only-binary", ":all:", "--config-file", str(REQUIREMENTS / "uv.toml")),
            *("--output-file", str(build.lock)),
            *(str(build_in), str(REQUIREMENTS / "suite.in")),
        ]
        ended = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if ended.returncode:
        raise ValueError(f"{release.version} cannot be locked:\n{ended.stderr.strip()}")
