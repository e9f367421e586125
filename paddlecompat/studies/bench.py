"""How fast the properties are: each one's CPU seconds and its share inside Paddle, in a release."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from paddlecompat.cells import suite
from paddlecompat.cells.option_set import Options
from paddlecompat.cells.suite import Request
from paddlecompat.environments.environment import prepare
from paddlecompat.fixtures.releases import Fixture, cell_named
from paddlecompat.folders import BENCH
from paddlecompat.machine import host
from paddlecompat.machine.command_line import options_from
from paddlecompat.records import study_results
from paddlecompat.records.record import MachineFailed
from paddlecompat.records.study_results import Bench, Timed, lines_of, write_bench

RELEASE = "2.6.2"
PLUGIN = ("-p", "properties.programs.time_properties")


def run(fixture: Fixture, parsed: argparse.Namespace) -> bool:
    """Time what was asked for; whether the figures were kept, as those of all properties are."""
    options = replace(options_from(Options, parsed), seed=0)
    whole = options.keyword is None
    conclude(measure(fixture, parsed.release, options), study_results.BENCH if whole else None)
    return whole


def measure(fixture: Fixture, release: str, options: Options) -> Bench:
    """Time the properties in a release's environment, one process, nothing beside it.

    Raises MachineFailed where none holds, so that there is nothing to time.
    """
    python = prepare(cell_named(f"cpu-{release}", fixture), fixture).python
    print("every property, timed: a minute or two", flush=True)
    asked = Request("cpu", options)
    timed = time_properties(python, asked, BENCH / "timed")
    print("every property, profiled, a few examples each: half a minute", flush=True)
    quick = replace(asked, options=replace(options, profile="quick"))
    profiled = time_properties(python, quick, BENCH / "profiled", "--profiled")
    found = [
        Timed(property=key, inside=profiled[key]["inside"], **figures)
        for key, figures in timed.items()
        if key in profiled
    ]
    if not found:
        raise MachineFailed(f"nothing was timed: no property that was asked holds in {release}")
    return Bench(release=release, cpu=host.cpu(), profile=options.profile, properties=found)


def time_properties(
    python: Path, asked: Request, work: Path, *more: str
) -> dict[str, dict[str, Any]]:
    """The figures of every property that holds, by its key; on one core."""
    figures = {}
    for report in suite.run_pytest(python, asked, work, [*PLUGIN, *more]).reports:
        found = report.found["property"]
        if found["outcome"] == "holds":
            counted = {name: found[name] for name in ("calls", "examples")}
            figures[suite.key_of(report.nodeid)] = {**counted, **report.found["timed"]}
    return figures


def conclude(bench: Bench, path: Path | None) -> None:
    """Say each group's speed, and keep the figures where there is a path."""
    for group, lines in lines_of(bench).items():
        print(
            f"{group}: {lines[0].calls:,} calls in {lines[0].seconds:.1f} CPU seconds, "
            f"{lines[0].rate:,.0f} a second, {100 * lines[0].inside:.0f} % of it inside Paddle"
        )
    if path is not None:
        write_bench(bench, path)
