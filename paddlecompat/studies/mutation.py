"""What the properties can see: each defect put in place, and which properties caught it.

`measure` runs `tests/properties/sensitivity.py` for every defect in the environments of a few
releases; `render` makes `reports/sensitivity.md` of what came out, `reports/sensitivity.json`.
"""

from __future__ import annotations

import json
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from paddlecompat.cells import run_program, suite
from paddlecompat.cells.option_set import PROPERTIES
from paddlecompat.fixtures.folders import NOX
from paddlecompat.fixtures.releases import Fixture
from paddlecompat.records.mutation_results import (
    STALE,
    Catch,
    Sensitivity,
    Trial,
    Tried,
    read,
    write,
)

RELEASES = ("2.2.2", "2.6.2", "3.3.1")  # the oldest and the newest 2.x, and the newest of all


WHOLE = 2  # of them; the others are asked for what holds in none of those before, such as float16


WITHOUT = "none"  # no defect: what is "caught" then is the release's own violation


OTHER_PROGRAMS = (
    "advised",
    "follow_advice",
    "time_properties",
)  # files of tests/properties that this has nothing to do with


RESTARTS = 5  # of a program that died in a property


Line = dict[str, Any]  # of the program's: one property with one seed


@dataclass(frozen=True)
class Request:
    """What to try."""

    defects: Sequence[str]
    target: str | None
    seeds: int
    profile: str
    keyword: str | None
    jobs: int
    fresh: bool


@dataclass(frozen=True)
class Attempt:
    """One defect in one release."""

    release: str
    defect: str
    only: frozenset[str] | None = None
    poisoned: bool = True

    @property
    def words(self) -> str:
        return f"{self.release} {self.defect}{'' if self.poisoned else ', no poison'}"


def measure(fixture: Fixture, releases: Sequence[str], request: Request) -> list[Trial]:
    """Try every defect in every release; progress goes to the terminal."""
    pythons = {}
    for cell in run_program.cpu_cells(fixture, list(releases)):
        print(f"making {cell.name} ready", flush=True)
        pythons[cell.release.version] = run_program.interpreter_of(cell)
    found = side_by_side([Attempt(release, WITHOUT) for release in pythons], pythons, request)
    asked = asked_in({a.release: holding(lines) for a, lines in found.items()}, list(pythons))
    attempts = [
        Attempt(release, defect, only=only)
        for defect in request.defects
        for release, only in asked.items()
    ]
    if STALE in request.defects:
        attempts += [Attempt(r, STALE, only, poisoned=False) for r, only in asked.items()]
    found |= side_by_side(attempts, pythons, request)
    return [
        trial_of(release, only, {a: f for a, f in found.items() if a.release == release}, request)
        for release, only in asked.items()
    ]


def side_by_side(
    attempts: Sequence[Attempt], pythons: dict[str, Path], request: Request
) -> dict[Attempt, list[Line]]:
    """Every attempt's lines, in the order of the attempts."""
    found: dict[Attempt, list[Line]] = {}
    started = time.monotonic()
    with ThreadPoolExecutor(request.jobs) as pool:
        futures = {pool.submit(tried, a, pythons[a.release], request): a for a in attempts}
        for number, future in enumerate(as_completed(futures), start=1):
            attempt, left = futures[future], len(attempts) - number
            found[attempt] = future.result()
            minutes = (time.monotonic() - started) / number * left / 60
            said = f"{words_on(found[attempt], attempt)}; {left} left, about {minutes:.0f} min"
            print(f"[{number}/{len(attempts)}] {attempt.words}: {said}", flush=True)
    return {attempt: found[attempt] for attempt in attempts}


def holding(lines: Sequence[Line]) -> list[str]:
    """The node ids of the properties that hold without a defect."""
    return [line["property"] for line in judged(lines) if line["outcome"] == "missed"]


def asked_in(
    holds: dict[str, list[str]], releases: Sequence[str]
) -> dict[str, frozenset[str] | None]:
    """Which properties each release is asked: all (None), or those that hold in none before it."""
    asked: dict[str, frozenset[str] | None] = {}
    before: set[str] = set()
    for number, release in enumerate(releases):
        asked[release] = None if number < WHOLE else frozenset(holds[release]) - before
        before.update(holds[release])
    return asked


def words_on(lines: Sequence[Line], attempt: Attempt) -> str:
    """How one defect in one release went, for the terminal."""
    if broken := next((line for line in lines if line.get("outcome") == "broken"), None):
        return f"the defect itself is broken: {broken['message']}"
    caught = [line for line in lines if line.get("outcome") == "caught"]
    seeds, properties = ({line[key] for line in caught} for key in ("seed", "property"))
    if attempt.defect == WITHOUT:
        return f"{len(properties)} properties do not hold without a defect"
    return f"caught with {len(seeds)} seeds, by {len(properties)} properties"


def tried(attempt: Attempt, python: Path, request: Request) -> list[Line]:
    """The lines of one attempt; those of an earlier run, where nothing changed since.

    A property in which the process dies caught the defect, and is left out when it starts again.
    """
    seeds = request.seeds if attempt.poisoned and attempt.defect != WITHOUT else 1
    arguments = [f"--defect={attempt.defect}", f"--seeds={seeds}", f"--profile={request.profile}"]
    arguments += [f"--target={request.target}"] if request.target else []
    arguments += [f"-k={request.keyword}"] if request.keyword else []
    arguments += [] if attempt.poisoned else ["--unpoisoned"]
    arguments += [] if attempt.only is None else [f"--only={json.dumps(sorted(attempt.only))}"]
    out = NOX / "sensitivity" / f"{fingerprint(attempt, arguments)}.jsonl"
    if not request.fresh and ended(found := read_lines(out)):
        return found
    died: list[Line] = []
    for _ in range(RESTARTS):
        without = [f"--without={line['property']}" for line in died]
        asked = [*arguments, *without, f"--out={out}"]
        run_program.run_program(python, "run_mutants", asked, out.with_suffix(".log"))
        found = read_lines(out)
        if ended(found) or "property" not in found[-1]:
            break
        died.append({**found[-1], "outcome": "caught", "examples": 0, "seconds": 0.0})
    if not ended(found):
        raise ValueError(f"{attempt.words} came to no end: see {out.with_suffix('.log')}")
    return [*found, *(line | {"seed": seed} for line in died for seed in range(seeds))]


def fingerprint(attempt: Attempt, arguments: Sequence[str]) -> str:
    """A name made of what the outcome depends on: release, defect, properties, arguments.

    Of the catalogue's modules it is the one that the defect is in.
    """
    digest = sha256(" ".join(arguments).encode())
    path, separator, name = attempt.defect.rpartition("::")
    outside = [Path(path)] if separator else []
    every = [p for p in sorted(PROPERTIES.rglob("*.py")) if not p.stem.startswith(OTHER_PROGRAMS)]
    marker = f"def {name}(true: Function)"
    elsewhere = {
        path
        for path in every
        if path.parent.name == "mutants"
        and path.stem.startswith("of_")
        and marker not in path.read_text(encoding="utf-8")
    }
    for source in [path for path in every if path not in elsewhere] + outside:
        digest.update(source.read_bytes() if source.exists() else b"")
    return f"{attempt.release}-{name}-{digest.hexdigest()[:12]}"


def read_lines(path: Path) -> list[Line]:
    """Lines of JSON; an unfinished last one is left out."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return lines or [{}]


def ended(lines: Sequence[Line]) -> bool:
    return "ended" in lines[-1]


def trial_of(
    release: str,
    only: frozenset[str] | None,
    found: dict[Attempt, list[Line]],
    request: Request,
) -> Trial:
    """One release's attempts, put together."""
    plain = {key_of(line): line["outcome"] for line in judged(found[Attempt(release, WITHOUT)])}
    holding = [name for name, outcome in plain.items() if outcome == "missed"]
    tries = {
        (attempt.defect, attempt.poisoned): tried_of(attempt, lines, holding, request)
        for attempt, lines in found.items()
        if attempt.defect != WITHOUT
    }
    return Trial(
        release=release,
        profile=request.profile,
        seeds=request.seeds,
        whole=only is None,
        properties=[
            key_of(line)
            for line in judged(found[Attempt(release, WITHOUT)])
            if line["outcome"] == "missed" and (only is None or line["property"] in only)
        ],
        violated_without=[name for name, outcome in plain.items() if outcome == "caught"],
        defects=[tries[defect, True] for defect in request.defects],
        unpoisoned=tries.get((STALE, False)),
    )


def tried_of(
    attempt: Attempt, lines: Sequence[Line], holding: Sequence[str], request: Request
) -> Tried:
    """What came of one attempt, by the properties that hold without a defect.

    Raises ValueError where the defect is broken.
    """
    by_property = defaultdict(list)
    for line in judged(lines):
        if key_of(line) in holding:
            by_property[key_of(line)].append(line)
            if line["outcome"] == "broken":
                raise ValueError(f"defect {attempt.defect}, in {key_of(line)}: {line['message']}")
    caught = {
        name: [line for line in found if line["outcome"] == "caught"]
        for name, found in by_property.items()
    }
    return Tried(
        defect=attempt.defect.rpartition("::")[2],
        targets=lines[0]["targets"],
        about=" ".join(lines[0]["about"].split()),
        seeds=request.seeds if attempt.poisoned else 1,
        caught_with=len({line["seed"] for found in caught.values() for line in found}),
        caught={name: catch_of(found) for name, found in caught.items() if found},
        missed=[
            name
            for name, found in by_property.items()
            if not caught[name] and any(line["outcome"] == "missed" for line in found)
        ],
    )


def judged(lines: Sequence[Line]) -> Iterator[Line]:
    """The lines that say how a property ended."""
    return (line for line in lines if "outcome" in line)


def catch_of(lines: Sequence[Line]) -> Catch:
    return Catch(
        seeds=len({line["seed"] for line in lines}),
        examples=statistics.median(line["examples"] for line in lines),
        seconds=round(statistics.median(line["seconds"] for line in lines), 3),
    )


def key_of(line: Line) -> str:
    """'masked_select::test_…', as the records have it."""
    nodeid: str = line["property"]
    return f"{suite.group(nodeid)}::{nodeid.partition('::')[2]}"


def conclude(trials: list[Trial], path: Path | None) -> int:
    """Say what came out, and keep it where there is a path. Returns 1 where a defect escaped."""
    found = Sensitivity(trials=trials)
    for trial in trials:
        for tried in trial.defects:
            best = sorted(tried.caught.items(), key=lambda item: item[1].examples)
            quickest = f"{best[0][0]} after {best[0][1].examples:g} examples" if best else "nothing"
            print(
                f"{trial.release} {tried.defect}: caught with {tried.caught_with} of {tried.seeds} "
                f"seeds, by {len(best)} properties; quickest: {quickest}"
            )
    if path is not None:
        write(trials, path)
        found = read(path)  # what other releases show tells what one of them cannot
    tried_now = {trial.release for trial in trials}
    escaped = [f"{tried.defect} in {rel}" for rel, tried in found.missed if rel in tried_now]
    print(f"not caught with every seed: {', '.join(escaped)}" if escaped else "all were caught")
    return int(bool(escaped))
