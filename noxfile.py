# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "nox>=2025.10",
#     "capstone>=5.0",
#     "filelock>=3.13",
#     "findpython>=0.7",
#     "jinja2>=3.1",
#     "matplotlib>=3.10",
#     "numpy>=1.26",
#     "nvidia-ml-py>=12.560",
#     "packaging>=24",
#     "pefile>=2023.2",
#     "pip>=23.3",
#     "psutil>=6",
#     "pydantic>=2.7",
#     "pyelftools>=0.31",
#     "unicorn>=2.1",
#     "uv>=0.8",
# ]
# ///
"""Is this PaddlePaddle release safe to train on, on this machine?

  nox -s cpu-2.3.2      measure one release here; nox -s gpu-2.3.2 does so on the GPU
  nox                   measure the newest release on the CPU, and make the report
  nox -s matrix         measure every release that this machine can, and make the report
  nox -s here           measure the Paddle that is installed already, and install nothing into it

Tags select groups: nox -t cpu, nox -t 2.6. Options stand behind `--`: nox -s cpu-2.3.2 -- --help
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nox
import tomllib

nox.needs_version = ">=2025.10"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True

HERE = Path(__file__).parent
ON_MADE_UP_DRIVER = ("2.2.", "2.3.", "2.4.")  # later runtimes ask for NVIDIA's own
LOOKS_LIKE_A_CELL = re.compile(r"([a-z]+-)?\d+\.\d+\.\d+")


def add_session(name: str, about: str, *tags: str) -> None:
    """Add the session of a cell or of another command; Nox's last line says how it ended."""

    def run_here(session: nox.Session) -> None:
        sys.path.insert(0, str(HERE))
        from paddlecompat.__main__ import run

        came = run([name, *session.posargs])
        if came.status:
            session.error(f"{came.words} (exit status {came.status:d} of python -m paddlecompat)")
        if came.nothing_ran:
            session.skip(came.words)

    run_here.__doc__ = about
    nox.session(name=name, python=False, tags=list(tags))(run_here)


def add_cells() -> None:
    """Add a session for each cell, the CPU's first."""
    known = tomllib.loads((HERE / "fixtures" / "releases.toml").read_text("utf-8"))["release"]
    newest = max((r["version"] for r in known), key=lambda v: [int(part) for part in v.split(".")])
    nox.options.sessions = [f"cpu-{newest}", "report"]
    names = set()
    for kind, about in {
        "cpu": "on the CPU",
        "gpu": "on the GPU",
        "fresh": "on the CPU, as pip installs it today",
        "windows": "on the CPU, the Windows build",
    }.items():
        place = "gpu" if kind == "gpu" else "cpu"
        for version in (r["version"] for r in known if place in r.get("places", ("cpu", "gpu"))):
            names.add(name := f"{kind}-{version}")
            doc = f"Measure PaddlePaddle {version} {about}."
            add_session(name, doc, kind, version.rpartition(".")[0])
    for version in (r["version"] for r in known if r["version"].startswith(ON_MADE_UP_DRIVER)):
        names.add(name := f"host-{version}")
        doc = f"Run the host half of PaddlePaddle {version}'s GPU build on a made-up driver."
        add_session(name, doc, "host")
    for asked in sys.argv[1 : sys.argv.index("--") if "--" in sys.argv else None]:
        if LOOKS_LIKE_A_CELL.fullmatch(asked) and asked not in names:
            add_session(asked, "Not a cell: says which cells there are.")


add_cells()
listed = tomllib.loads((HERE / "paddlecompat" / "commands.toml").read_text("utf-8"))
for command, declared in listed.items():
    add_session(command, declared["help"])


def requirements(group: str) -> list[str]:
    """What the sessions themselves need, and a dependency group of pyproject.toml."""
    own = nox.project.load_toml("noxfile.py")["dependencies"]
    return [*own, *nox.project.dependency_groups(nox.project.load_toml(), group)]


@nox.session
def tests(session: nox.Session) -> None:
    """Test this project itself; no Paddle is needed."""
    session.install(*requirements("test"))
    session.run("python", "-m", "pytest", "--numprocesses=auto", *session.posargs)


@nox.session(name="tests-windows", python=False)
def tests_windows(session: nox.Session) -> None:
    """Test this project itself on Windows' CPython, which Wine runs on Linux: tests/unit."""
    sys.path.insert(0, str(HERE))
    from paddlecompat.environments.windows.winpython import run_own_tests
    from paddlecompat.records.record import CannotRun

    try:
        status = run_own_tests(requirements("test"), session.posargs)
    except CannotRun as error:
        session.skip(str(error))
    if status:
        session.error(f"exit status {status} of pytest")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types, imports, workflows, and the form of the files that people edit."""
    session.install(*requirements("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("lint-imports")
    workflows = [str(path) for path in sorted(Path(".github/workflows").glob("*.yml"))]
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    session.run("zizmor", "--offline", "--persona", "pedantic", *workflows)
    for schema in sorted(Path("fixtures/schemas").glob("*.schema.json")):
        (edited,) = Path("fixtures").glob(f"{schema.name.removesuffix('.schema.json')}.*")
        session.run("check-jsonschema", "--schemafile", str(schema), str(edited))
