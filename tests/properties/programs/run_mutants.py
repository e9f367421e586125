"""A pytest plugin: which properties kill which mutants, after how many examples and CPU seconds.

    pytest tests/properties -p properties.programs.run_mutants --mutants names.json --seeds 10

Mutant by mutant is put in place, tried and taken out again, in one process. Beside the properties
there is an item `mutants::NAME` for each, with a report `("mutation", {...})` for each seed, whose
form is in `paddlecompat/studies/mutant_runs.py`. The properties of the mutant's own groups run,
those first that killed before; the first that fails ends the search. A seed with which the release
itself breaks one of them, and no other kills, tells nothing: another takes its place. With --judge
there are the properties alone: each runs without a mutant and then, where it holds, under one
mutant after the other, its own group's first, until one makes it fail.

No failure counts that is the release's own: each is followed by the same examples without the
mutant, which have to hold.
"""

from __future__ import annotations

import functools
import json
import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Callable

import hypothesis
import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings
from hypothesis.errors import HypothesisException

from properties.mutants import reach
from properties.mutants.generated import GENERATED, own_groups
from properties.protocol.evidence import SEVERITIES, ledger

OUTCOMES = {"holds": "survived", "violated": "killed", "crashed": "killed"}
UNREACHED = 3  # examples without a call of the faulty function, after which a property is left
UNTOLD = 3  # seeds that tell nothing, after which a mutant that none has killed has survived
POISON = "properties.questions.masked_selection.poison"
PROPERTIES: pytest.StashKey[Sequence[pytest.Item]] = pytest.StashKey()


@dataclass
class Run:
    """One property with one seed."""

    limit: int | None = None
    """Examples, after which it is left."""
    left: bool = False
    failed_after: int | None = None
    """Examples until the first that fails."""
    outcome: str = ""
    message: str = ""
    calls: int = 0
    examples: int = 0
    seconds: float = 0.0  # of CPU

    @property
    def until(self) -> int:
        """Examples until it failed, or all."""
        return self.failed_after or self.examples


@dataclass
class Memory:
    """What this process learnt of the properties, by their node ids."""

    kills: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often a property killed, for each word of the mutants' names."""
    apart: set[tuple[str, str]] = field(default_factory=set)
    """Function and property that does not call it."""
    failing: set[tuple[str, int]] = field(default_factory=set)
    """Property and seed, with which it fails without a mutant."""
    seconds: dict[str, float] = field(default_factory=dict)


run = Run()
memory = Memory()


class MutantItem(pytest.Item):
    """A mutant, as a thing that can be asked for."""

    obj: Any = None

    def runtest(self) -> None:
        raise NotImplementedError("the plugin runs it")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mutation", "which properties kill a mutant")
    group.addoption("--mutants", type=Path, help="a file: a list of names, as JSON")
    group.addoption("--seeds", type=int, default=1, help="how many, from 0")
    group.addoption("--judge", action="store_true", help="ask the properties, not the mutants")
    group.addoption("--unpoisoned", action="store_true", help="fill no memory before a call")


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """No shrinking: the first failing example is what is timed."""
    phases = [Phase.explicit, Phase.generate]
    settings.register_profile("mutation", settings(), phases=phases)
    settings.load_profile("mutation")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    session.stash[PROPERTIES] = list(items)
    for name in () if session.config.getoption("--judge") else names_asked(session.config):
        items.append(MutantItem.from_parent(session, name=name, nodeid=f"mutants::{name}"))


def names_asked(config: pytest.Config) -> list[str]:
    names: list[str] = json.loads(config.getoption("--mutants").read_text(encoding="utf-8"))
    return names


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool:
    if isinstance(item, MutantItem):
        for seen in try_seeds(item, item.config.getoption("--seeds")):
            tell(item, seen)
    else:
        tell(item, try_property(item))
    return True


def try_seeds(item: MutantItem, most: int) -> Iterator[dict[str, Any]]:
    """What came of a mutant with each seed that tells something, until it survives one."""
    mutant = Mutant(item.config, item.name)
    properties = [each for each in item.session.stash[PROPERTIES] if mutant.is_own(each)]
    killers: list[str] = []
    told = 0
    for seed in count():
        seen = try_mutant(mutant, properties, seed, killers)
        fails_itself = any((each.nodeid, seed) in memory.failing for each in properties)
        left = most if killers else UNTOLD
        if seen["outcome"] == "survived" and fails_itself and seed - told < left:
            continue
        yield seen
        told += 1
        # After one that it survives another seed would cost as much, and say as little.
        if seen["outcome"] != "killed" or told == most:
            return
        killers = list(dict.fromkeys([seen["killer"], *killers]))


def tell(item: pytest.Item, seen: dict[str, Any]) -> None:
    """A report of this item, as the worker passes it on."""
    found = {"outcome": seen.get("plain", "holds"), "calls": 1, "examples": 1}
    report = pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords={},
        outcome="passed",
        longrepr=None,
        when="call",
        duration=seen.get("seconds", 0.0),
        user_properties=[("property", found), ("mutation", seen)],
    )
    item.ihook.pytest_runtest_logreport(report=report)


def try_mutant(
    mutant: Mutant, properties: Sequence[pytest.Item], seed: int, killers: Sequence[str]
) -> dict[str, Any]:
    """Ask its own properties, until one fails: first those that killed it before."""
    began = time.process_time()
    seen: dict[str, Any] = {"seed": seed, "outcome": "not reached"}
    for each in in_order(properties, mutant, killers):
        found = mutant.ask(each, seed)
        if found.outcome in ("killed", "broken", "absent"):
            seen.update(outcome=found.outcome, message=found.message[:200])
            if found.outcome == "killed":
                seen.update(killer=each.nodeid, examples=found.until, seconds=found.seconds)
            break
        if found.outcome != "not reached":  # it holds, or cannot tell: the release fails itself
            seen["outcome"] = "survived"
    return {**seen, "targets": mutant.targets, "spent": time.process_time() - began}


def try_property(item: pytest.Item) -> dict[str, Any]:
    """What it comes to without a mutant, then under mutants until one of them makes it fail."""
    plain = run_property(item, 0)
    # As an outcome of the property by itself, of which the launcher looks at the first ones.
    outcome = {"survived": "holds", "killed": "violated"}.get(plain.outcome, plain.outcome)
    seen: dict[str, Any] = {"plain": outcome, "calls": plain.calls}
    seen.update(examples=plain.examples, seconds=plain.seconds)
    if plain.outcome != "survived":
        memory.failing.add((item.nodeid, 0))
        return seen
    mutants = [Mutant(item.config, name) for name in names_asked(item.config)]
    for mutant in sorted(mutants, key=lambda mutant: not mutant.is_own(item)):
        found = mutant.ask(item, 0)
        if found.outcome == "killed":
            kill = {"mutant": mutant.name, "examples": found.until, "seconds": found.seconds}
            return {**seen, "kill": kill}
    return seen


class Mutant:
    """A mutant, which is in place only while a property runs."""

    def __init__(self, config: pytest.Config, name: str) -> None:
        self.config, self.name = config, name
        self.targets: list[str] = []
        from properties.mutants import replacement  # it imports Paddle

        self.replacement = replacement
        target: str = config.getoption("--target") or "paddle.masked_select"
        outside = "::" in name
        self.groups = own_groups([target] if outside else replacement.factories_by_name(name))
        made = GENERATED.get(name)
        surrounded = made is not None and made.context and made.change == "altered"
        self.first = ("contexts",) if surrounded else self.groups[:1]

    def is_own(self, item: pytest.Item) -> bool:
        """Whether the property is of a group whose function the mutant stands for."""
        return not self.groups or group_of(item.nodeid).startswith(self.groups)

    def ask(self, item: pytest.Item, seed: int) -> Run:
        """Run a property with it; a kill only where the same examples hold without it."""
        nodeid = item.nodeid
        if (nodeid, seed) in memory.failing:
            return Run(outcome="unsupported")
        if self.targets and all((target, nodeid) in memory.apart for target in self.targets):
            return Run(outcome="not reached")
        try:
            self.replacement.install(self.name, self.config.getoption("--target"))
            if self.config.getoption("--unpoisoned"):
                self.replacement.put_in_place(POISON, lambda true: lambda *args: None)
            self.targets = list(reach.targets)
            found = run_property(item, seed) if self.targets else Run(outcome="absent")
        except Exception as error:
            return Run(outcome="broken", message=f"{type(error).__name__}: {error}")
        finally:
            self.replacement.remove()
        if found.outcome == "not reached":
            memory.apart.update((target, nodeid) for target in self.targets)
        if found.outcome == "killed":
            without = run_property(item, seed, limit=found.until)
            if without.outcome != "survived":
                memory.failing.add((nodeid, seed))
                return Run(outcome="unsupported")
            memory.kills.update((word, nodeid) for word in words_of(self.name))
        return found


def words_of(name: str) -> tuple[str, ...]:
    """What a mutant has in common with others: its function, and what it changes."""
    return (name, *name.split(": "))


def in_order(
    properties: Sequence[pytest.Item], mutant: Mutant, killers: Sequence[str]
) -> list[pytest.Item]:
    """The same: its killers, what killed its like, the first group, the rest."""

    def rank(item: pytest.Item) -> tuple[Any, ...]:
        nodeid = item.nodeid
        likely = sum(memory.kills[word, nodeid] for word in words_of(mutant.name))
        other = not group_of(nodeid).startswith(mutant.first)
        return nodeid not in killers, -likely, other, memory.seconds.get(nodeid, 0.0)

    return sorted(properties, key=rank)


def group_of(nodeid: str) -> str:
    """'where' of 'kernel/test_where.py::test_a'."""
    return Path(nodeid.partition("::")[0]).stem[len("test_") :]


def run_property(item: pytest.Item, seed: int, limit: int | None = None) -> Run:
    """Run a property with a seed; under a mutant that it does not call it is left soon."""
    global run  # one process runs one property at a time
    run = Run(limit)
    reach.calls, reach.broken = 0, ""
    if hasattr(item.obj, "hypothesis"):  # type: ignore[attr-defined]  # they are functions
        hypothesis.seed(seed)(item.obj)  # type: ignore[attr-defined]
    began = time.process_time()
    following: Any = item.session  # what is set up for all of it stays
    for report in runtestprotocol(item, log=False, nextitem=following):
        found: Any = dict(report.user_properties).get("property")
        if found is not None:
            run.outcome = OUTCOMES.get(found["outcome"], found["outcome"])
            run.message, run.examples = found.get("message", ""), found["examples"]
            run.calls = found["calls"]
    run.seconds = round(time.process_time() - began, 4)
    if run.left:
        run.outcome = "survived" if limit else "not reached"
    elif reach.mutant and not reach.calls:
        run.outcome = "not reached"
    if reach.broken:
        run.outcome, run.message = "broken", reach.broken
    memory.seconds[item.nodeid] = run.seconds
    return run


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Function) -> Generator[None, Any, None]:
    handle = getattr(item.obj, "hypothesis", None)
    with pytest.MonkeyPatch.context() as patch:
        if handle:
            patch.setattr(handle, "inner_test", watch(handle.inner_test))
        ledger.mildest = SEVERITIES[-1]  # whatever fails first ends it
        yield


def watch(inner: Callable[..., None]) -> Callable[..., None]:
    """The property's body, one example: it is left where it has nothing more to say."""

    @functools.wraps(inner)
    def example(*args: Any, **kwargs: Any) -> None:
        try:
            inner(*args, **kwargs)
        except HypothesisException:  # an assumption that does not hold
            raise
        except Exception:
            run.failed_after = run.failed_after or ledger.examples
            raise
        unreached = reach.mutant and not reach.calls and ledger.examples >= UNREACHED
        if unreached or (run.limit is not None and ledger.examples >= run.limit):
            run.left = True
            pytest.skip("nothing more to see")

    return example
