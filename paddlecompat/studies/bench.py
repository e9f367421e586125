"""How fast the properties are, and how soon they catch a defect: `reports/bench.md`."""

from __future__ import annotations

from pathlib import Path

from paddlecompat.cells import run_program
from paddlecompat.fixtures.folders import NOX, ROOT
from paddlecompat.fixtures.releases import Fixture
from paddlecompat.records.bench_results import Bench, Timed, lines_of, write
from paddlecompat.studies import mutation
from paddlecompat.studies.mutation import Line

RELEASE = "2.6.2"


def measure(fixture: Fixture, release: str, profile: str, keyword: str | None, cpu: str) -> Bench:
    """Time the properties in a release's environment, one process, nothing beside it."""
    (cell,) = run_program.cpu_cells(fixture, [release])
    print(f"making {cell.name} ready", flush=True)
    python = run_program.interpreter_of(cell)
    only = [f"-k={keyword}"] if keyword else []
    print("every property, timed: a minute or two", flush=True)
    timed = lines_from(python, f"{cell.name}-timed", [f"--profile={profile}", *only])
    print("every property, profiled, a few examples each: half a minute", flush=True)
    profiled = lines_from(python, f"{cell.name}-profiled", ["--profile=quick", "--profiled", *only])
    found = [
        Timed(**{**line, "property": name, "inside": profiled[name]["inside"]})
        for name, line in timed.items()
        if name in profiled
    ]
    return Bench(release=release, cpu=cpu, profile=profile, properties=found)


def lines_from(python: Path, name: str, arguments: list[str]) -> dict[str, Line]:
    """What the program said of each property. Raises ValueError where it failed."""
    out = NOX / "bench" / f"{name}.jsonl"
    log = out.with_suffix(".log")
    if run_program.run_program(python, "time_properties", [f"--out={out}", *arguments], log):
        raise ValueError(f"the program failed, see {log.relative_to(ROOT)}")
    return {mutation.key_of(line): line for line in mutation.read_lines(out) if line}


def conclude(bench: Bench, path: Path | None) -> None:
    """Say each group's speed, and keep the figures where there is a path."""
    for group, lines in lines_of(bench).items():
        print(
            f"{group}: {lines[0].calls:,} calls in {lines[0].seconds:.1f} CPU seconds, "
            f"{lines[0].rate:,.0f} a second, {100 * lines[0].inside:.0f} % of it inside Paddle"
        )
    if path is not None:
        write(bench, path)
