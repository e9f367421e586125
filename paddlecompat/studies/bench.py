"""How fast the properties are: CPU seconds, the share inside Paddle, and until a mutant is killed.

With a checkout of data-apis/array-api-tests, in no package registry, its masking test on NumPy is
measured beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from paddlecompat.cells import suite
from paddlecompat.cells.option_set import Options, mutants
from paddlecompat.cells.suite import Request
from paddlecompat.environments.environment import prepare
from paddlecompat.fixtures.releases import Fixture, cell_named
from paddlecompat.folders import BENCH, ROOT, TESTS
from paddlecompat.machine import host
from paddlecompat.machine.command_line import options_from
from paddlecompat.machine.processes import run_checked
from paddlecompat.records.record import MachineFailed
from paddlecompat.records.study_results import (
    Bench,
    Contest,
    Duel,
    PropertyKill,
    Timed,
    lines_of,
    write_bench,
)
from paddlecompat.studies.mutant_runs import Runs

RELEASE = "2.6.2"  # also what the properties are listed from
PLUGIN = ("-p", "properties.programs.time_properties")
CONTEST = "x[mask]"
CHANGES = ("all zero", "altered", "swap two", "one too late", "reverse")
SELECTING = ("drop first", "drop last", "duplicate last", "change dtype")


def run(fixture: Fixture, parsed: argparse.Namespace) -> bool:
    """Time what was asked for, and say each group's speed.

    Returns whether the figures were kept, as those of all properties are.
    """
    options = options_from(Options, parsed)
    whole = options.keyword is None
    tests = Path(parsed.array_api_tests) if parsed.array_api_tests else None
    bench = measure(fixture, parsed.release, options, tests)
    for group, lines in lines_of(bench).items():
        print(
            f"{group}: {lines[0].calls:,} calls in {lines[0].seconds:.1f} CPU seconds, "
            f"{lines[0].rate:,.0f} a second, {100 * lines[0].inside:.0f} % of it inside Paddle"
        )
    if whole:
        write_bench(bench)
    return whole


def measure(fixture: Fixture, release: str, options: Options, checkout: Path | None) -> Bench:
    """Time the properties in a release's environment, one process, nothing beside it.

    Raises MachineFailed where none holds, so that there is nothing to time.
    """
    python = prepare(cell_named(f"cpu-{release}", fixture), fixture).python
    asked = Request("cpu", options)
    print("every property, timed, and under mutants: some minutes", flush=True)
    runs = Runs(python, asked, 1, fresh=True, folder=BENCH)
    judged = runs.judge_properties(list(mutants()))
    print("every property, profiled, a few examples each: half a minute", flush=True)
    quick = replace(asked, options=replace(options, profile="quick", seed=0))
    inside = shares_inside(python, quick, BENCH / "profiled")
    found = [
        Timed(
            property=suite.key_of(nodeid),
            inside=inside[nodeid],
            **each.model_dump(include={"calls", "examples", "seconds", "kill"}),
        )
        for nodeid, each in judged.items()
        if each.plain == "holds" and nodeid in inside
    ]
    if not found:
        raise MachineFailed(f"nothing was timed: no property that was asked holds in {release}")
    contest = None if checkout is None else compete(runs, checkout)
    return Bench(
        release=release,
        cpu=host.cpu(),
        profile=options.profile,
        properties=found,
        contest=contest,
    )


def shares_inside(python: Path, asked: Request, work: Path) -> dict[str, float]:
    """The share of its time that each property that holds spends inside Paddle, by node id."""
    reports = suite.run_pytest(python, asked, work, PLUGIN).reports
    held = (report for report in reports if report.found["property"]["outcome"] == "holds")
    return {report.nodeid: report.found["inside"] for report in held}


def compete(runs: Runs, checkout: Path) -> Contest:
    """The same changes of what `x[mask]` gives, in Paddle and in NumPy. Raises as `ask_numpy`."""
    names = {f"{CONTEST}: {change}": change for change in (*CHANGES, *SELECTING)}
    duels = []
    for name, (sight, *_) in runs.try_mutants(list(names)):
        ours = kill_of(names[name], sight.kills, sight.examples, sight.seconds)
        seen = ask_numpy(checkout, names[name])
        theirs = kill_of(names[name], seen["failed"], seen["examples"], seen["seconds"])
        duels.append(Duel(change=names[name], ours=ours, theirs=theirs))
    plain = ask_numpy(checkout, "")
    commit = run_checked(["git", "-C", str(checkout), "rev-parse", "HEAD"]).said or "unknown"
    figures = {name: plain[name] for name in ("calls", "examples", "seconds")}
    return Contest(commit=commit, numpy=version("numpy"), duels=duels, **figures)


def kill_of(mutant: str, killed: bool, examples: float, seconds: float) -> PropertyKill | None:
    kill = PropertyKill(mutant=mutant, examples=int(examples), seconds=round(seconds, 3))
    return kill if killed else None


def ask_numpy(checkout: Path, change: str) -> dict[str, Any]:
    """What their masking test comes to, with a change. MachineFailed: it cannot be run."""
    program = [sys.executable, "-m", "properties.programs.array_api_masking"]
    settings = {"PYTHONPATH": f"{TESTS}{os.pathsep}{ROOT}"}
    ended = run_checked([*program, str(checkout.absolute()), "0", change], settings, None)
    if ended.problem:
        raise MachineFailed(f"{checkout}: {ended.problem}")
    return dict(json.loads(ended.said))
