# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "nox>=2025.10",
#     "filelock>=3.12",
#     "findpython>=0.7",
#     "jinja2>=3.1",
#     "nvidia-ml-py>=12.560",
#     "packaging>=24",
#     "pip>=23.3",
#     "pydantic>=2.7",
#     "pyelftools>=0.31",
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

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nox

nox.needs_version = ">=2025.10"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True

SCRIPT = nox.project.load_toml("noxfile.py")
GROUPS = nox.project.load_toml("pyproject.toml")


def paddlecompat(session: nox.Session, *arguments: str) -> None:
    session.run(sys.executable, "-m", "paddlecompat", *arguments, external=True)


def download_interpreter(session: nox.Session, version: str) -> bool:
    """Whether uv could download one, so that Nox, started anew, finds it."""
    command = [sys.executable, "-m", "paddlecompat", "get-interpreter", version]
    found = session.run(*command, external=True, silent=True)
    return Path(str(found).strip()).is_file()


def add_cell(cell: dict[str, Any]) -> None:
    """One session: a release at a place."""
    if cell["newest"] and cell["place"] == "cpu":
        nox.options.sessions = [cell["name"], "report"]

    def measure(session: nox.Session) -> None:
        if not cell["interpreter"] and download_interpreter(session, cell["python"]):
            session.run(sys.executable, "-m", "nox", "-s", cell["name"], "--", *session.posargs)
            return
        arguments = [cell["name"], *session.posargs]
        if cell["interpreter"]:
            arguments += ["--environment", session.virtualenv.location]
        paddlecompat(session, "fill", *arguments)
        verdict = Path(".nox", "cells", cell["name"], "verdict.txt")
        if verdict.exists() and ": not run: " in (words := verdict.read_text(encoding="utf-8")):
            session.skip(words)

    measure.__doc__ = f"Measure PaddlePaddle {cell['release']} on the {cell['place'].upper()}."
    python = cell["interpreter"] or False
    nox.session(name=cell["name"], python=python, tags=[cell["place"], cell["series"]])(measure)


listing = [sys.executable, "-m", "paddlecompat", "sessions"]
for cell in json.loads(subprocess.run(listing, check=True, stdout=subprocess.PIPE).stdout):
    add_cell(cell)


@nox.session(python=False)
def matrix(session: nox.Session) -> None:
    """Measure every cell that this machine can, then report; -- -j 2 for two at a time."""
    try:
        paddlecompat(session, "matrix", *session.posargs)
    finally:
        paddlecompat(session, "report")


@nox.session(python=False)
def here(session: nox.Session) -> None:
    """Measure the Paddle that is installed already; -- --python PATH. Installs nothing into it."""
    paddlecompat(session, "here", *session.posargs)


@nox.session(python=False)
def report(session: nox.Session) -> None:
    """From the records to the table, the page and the badge; -- PATHS takes in others' records."""
    paddlecompat(session, "report", *session.posargs)


@nox.session(python=False)
def advice(session: nox.Session) -> None:
    """Does the advice that circulates help? In every release, or in those after `--`."""
    paddlecompat(session, "advice", *session.posargs)


@nox.session(python=False)
def mutation(session: nox.Session) -> None:
    """Put faults in on purpose and see which properties notice; -- --mutant FILE::NAME."""
    paddlecompat(session, "mutation", *session.posargs)


@nox.session(python=False)
def bench(session: nox.Session) -> None:
    """How fast the properties are."""
    paddlecompat(session, "bench", *session.posargs)


@nox.session(python=False)
def builds(session: nox.Session) -> None:
    """Read the GPU code in the wheels on PyPI (13 GB): is it as fixtures/releases.toml lists?"""
    paddlecompat(session, "read-gpu-code", *session.posargs)


@nox.session(python=False)
def libraries(session: nox.Session) -> None:
    """Does every CUDA library that a release will load open? -- gpu-2.5.2; no GPU is needed."""
    paddlecompat(session, "cuda-libraries", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Test this project itself; no Paddle is needed."""
    session.install(*SCRIPT["dependencies"], *nox.project.dependency_groups(GROUPS, "test"))
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types, workflows, and the form of the files that people edit."""
    session.install(*SCRIPT["dependencies"], *nox.project.dependency_groups(GROUPS, "lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    workflows = [str(path) for path in sorted(Path(".github/workflows").glob("*.yml"))]
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    session.run("zizmor", "--offline", "--persona", "pedantic", *workflows)


@nox.session
def lock(session: nox.Session) -> None:
    """Lock the cells' environments anew, with hashes; all releases, or those named after `--`."""
    session.install("uv")
    paddlecompat(session, "lock", *session.posargs)
