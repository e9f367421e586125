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
from typing import Any

import nox
import tomllib

nox.needs_version = ">=2025.10"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True

HERE = Path(__file__).parent
LOOKS_LIKE_A_CELL = re.compile(r"([a-z]+-)?\d+\.\d+\.\d+")


def paddlecompat(session: nox.Session, command: str) -> None:
    """Run a command of paddlecompat in this process; Nox's last line says how it ended."""
    sys.path.insert(0, str(HERE))
    from paddlecompat.__main__ import run

    came = run([command, *session.posargs])
    if came.status:
        session.error(f"{came.words} (exit status {came.status:d} of python -m paddlecompat)")
    if came.nothing_ran:
        session.skip(came.words)


def add_cell(name: str, doc: str, *tags: str) -> None:
    """Add the session of one cell."""

    def measure(session: nox.Session) -> None:
        paddlecompat(session, name)

    measure.__doc__ = doc
    nox.session(name=name, python=False, tags=list(tags))(measure)


def releases() -> list[dict[str, Any]]:
    """The blocks of fixtures/releases.toml; what is wrong in them is told by the commands."""
    text = (HERE / "fixtures" / "releases.toml").read_text(encoding="utf-8")
    return list(tomllib.loads(text)["release"])


def add_cells() -> None:
    """Add a session for each release at each of its places, the CPU's first."""
    known = releases()
    newest = max((r["version"] for r in known), key=lambda v: [int(part) for part in v.split(".")])
    nox.options.sessions = [f"cpu-{newest}", "report"]
    names = []
    for place in ("cpu", "gpu"):
        for version in (r["version"] for r in known if place in r.get("places", ("cpu", "gpu"))):
            names.append(f"{place}-{version}")
            doc = f"Measure PaddlePaddle {version} on the {place.upper()}."
            add_cell(names[-1], doc, place, version.rpartition(".")[0])
    for asked in sys.argv[1 : sys.argv.index("--") if "--" in sys.argv else None]:
        if LOOKS_LIKE_A_CELL.fullmatch(asked) and asked not in names:
            add_cell(asked, "Not a cell: says which cells there are.")


add_cells()


@nox.session(python=False)
def matrix(session: nox.Session) -> None:
    """Measure every cell that this machine can, then report; -- -j 2 for two at a time."""
    paddlecompat(session, "matrix")


@nox.session(python=False)
def here(session: nox.Session) -> None:
    """Measure the Paddle that is installed already; -- --python PATH. Installs nothing into it."""
    paddlecompat(session, "here")


@nox.session(python=False)
def report(session: nox.Session) -> None:
    """Make the table, the page and the badge from the records; -- PATH takes in others' records."""
    paddlecompat(session, "report")


@nox.session(python=False)
def advice(session: nox.Session) -> None:
    """Follow the advice that circulates, in every release or in those after `--`: does it help?"""
    paddlecompat(session, "advice")


@nox.session(python=False)
def mutation(session: nox.Session) -> None:
    """Put faults in on purpose: which properties notice? -- --mutant FILE::NAME for your own."""
    paddlecompat(session, "mutation")


@nox.session(python=False)
def bench(session: nox.Session) -> None:
    """Time the properties."""
    paddlecompat(session, "bench")


@nox.session(python=False)
def builds(session: nox.Session) -> None:
    """Read the GPU code in the wheels on PyPI (13 GB): is it as fixtures/releases.toml lists?"""
    paddlecompat(session, "builds")


@nox.session(python=False)
def libraries(session: nox.Session) -> None:
    """Open every CUDA library that a release will load; -- gpu-2.5.2. No GPU is needed."""
    paddlecompat(session, "libraries")


@nox.session(python=False)
def lock(session: nox.Session) -> None:
    """Lock the cells' environments anew, with hashes; all releases, or those after `--`."""
    paddlecompat(session, "lock")


def install_group(session: nox.Session, group: str) -> None:
    """Install what the sessions themselves need, and a dependency group of pyproject.toml."""
    own = nox.project.load_toml("noxfile.py")["dependencies"]
    session.install(*own, *nox.project.dependency_groups(nox.project.load_toml(), group))


@nox.session
def tests(session: nox.Session) -> None:
    """Test this project itself; no Paddle is needed."""
    install_group(session, "test")
    session.run("python", "-m", "pytest", "--numprocesses=auto", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types, imports, workflows, and the form of the files that people edit."""
    install_group(session, "lint")
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
