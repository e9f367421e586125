"""The properties on a device that is not there, in an installed release: what each fault comes to.

The environment is that of cpu-2.3.2, as the README's first command leaves it (and `.ci/run`).
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import samples

from paddlecompat.cells import suite
from paddlecompat.cells.option_set import Options
from paddlecompat.environments.installer import python_of
from paddlecompat.fixtures import bugs, manifest, releases
from paddlecompat.fixtures.manifest import PROPERTIES
from paddlecompat.folders import environment_of
from paddlecompat.machine import gpus
from paddlecompat.records import store
from paddlecompat.records.record import NotRun, PropertyResult
from paddlecompat.records.subject import Device
from paddlecompat.report import pages
from paddlecompat.report.view import view_of

PYTHON = python_of(environment_of("cpu-2.3.2"))
EXACT = "test_selection_is_bit_exact[{}]"
AT_THE_PROBE = {
    "exit": ("device refused", "exit status 255"),
    "no-kernel-image": ("device not supported by the build", "no kernel image is available"),
    "driver-too-old": ("driver too old", "driver 384.81"),
    "too-little-memory": ("too little device memory", "Cannot allocate"),
    "in-use": ("device in use", "busy or unavailable"),
}
installed = pytest.mark.skipif(not PYTHON.exists(), reason="nox -s cpu-2.3.2 makes the environment")


def measure(
    folder: Path, fault: str, keyword: str = "bit_exact and float", **asked: Any
) -> dict[str, PropertyResult]:
    """What the properties come to, by their names, on a device with this fault."""
    request = suite.Request("gpu", Options("quick", 1, keyword, stand_in=fault, **asked))
    return {result.name: result for result in suite.run(PYTHON, request, folder / "log").results}


def probe(fault: str) -> NotRun:
    """Why the device could not be used."""
    device = gpus.look(fault)
    assert isinstance(device, Device)
    found = gpus.try_device(PYTHON, samples.build(), device, {}, fault)
    assert isinstance(found, NotRun)
    return found


def test_the_launcher_offers_each_fault_of_the_stand_in() -> None:
    source = (PROPERTIES / "protocol" / "stand_in.py").read_text(encoding="utf-8")
    (faults,) = (
        ast.literal_eval(node.value)
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "FAULTS"
    )
    assert list(faults) == list(gpus.STAND_INS)


@installed
def test_on_a_sound_device_the_properties_hold(tmp_path: Path) -> None:
    keyword = "test_gpu or (test_masked_select and bit_exact and float32)"
    found = measure(tmp_path, "sound", keyword).values()
    assert {result.group for result in found if result.outcome == "holds"} == {
        "gpu",
        "masked_select",
    }
    assert {result.outcome for result in found} <= {"holds", "unsupported"}


@installed
def test_what_needs_more_memory_than_there_is_says_so(tmp_path: Path) -> None:
    found = measure(tmp_path, "sound", "far_out")
    result = found["test_elements_far_out_are_selected[2147483649]"]
    assert result.outcome == "unsupported"
    assert "2,147,483,649 elements need 64 GiB" in result.message


@installed
def test_unwritten_output_shows_the_poison(tmp_path: Path) -> None:
    result = measure(tmp_path, "unwritten")[EXACT.format("float64")]
    assert result.outcome == "violated"
    assert result.evidence is not None
    assert "-7.25e+77" in result.evidence.actual


@installed
def test_each_property_of_a_gpu_alone_can_fail(tmp_path: Path) -> None:
    forgets = tmp_path / "forgets.py"
    forgets.write_text("def poison(true):\n    return lambda *given: None\n", encoding="utf-8")
    target = "properties.questions.masked_selection.poison"
    unwritten = measure(tmp_path, "unwritten", "test_gpu")
    asked = {"mutant": f"{forgets}::poison", "target": target}
    unpoisoned = measure(tmp_path, "sound", "test_gpu and poison", **asked)
    failed = [*unwritten.values(), *unpoisoned.values()]
    violated = {result.name for result in failed if result.outcome == "violated"}
    offered = {name for name, result in unwritten.items() if result.outcome != "unsupported"}
    assert violated == offered


@installed
def test_a_crash_costs_the_properties_that_crash(tmp_path: Path) -> None:
    found = measure(tmp_path, "crash")
    assert found[EXACT.format("float64")].outcome == "crashed"
    assert found[EXACT.format("float32")].outcome == "holds"


@installed
def test_a_spoiled_context_costs_who_spoiled_it(tmp_path: Path) -> None:
    keyword = "test_masked_select and bit_exact and int and not boundary"
    found = measure(tmp_path, "spoiled", keyword)
    spoiler = found[EXACT.format("int64")]
    assert spoiler.outcome == "crashed"
    assert "the device no longer answered: OSError: (External) CUDA error(700)" in spoiler.message
    assert found[EXACT.format("int32")].outcome == "holds"


@installed
def test_a_refusal_that_ends_the_context_is_a_refusal(tmp_path: Path) -> None:
    found = measure(tmp_path, "asserts", "label and refused or published_case")
    asked = [result for name, result in found.items() if "refused" in name or "label" in name]
    assert {result.outcome for result in asked} == {"holds"}
    assert all(result.calls for result in asked)
    assert any("CUDA error(719)" in result.message for result in asked)


@installed
def test_a_fault_of_memory_where_a_refusal_was_due_is_none(tmp_path: Path) -> None:
    found = list(measure(tmp_path, "overruns", "reported_label_out_of_range_is_refused").values())
    assert {result.outcome for result in found} == {"crashed"}
    assert "CUDA error(700)" in found[0].message


@installed
@pytest.mark.parametrize("fault", AT_THE_PROBE)
def test_a_device_that_cannot_be_used_is_told_why(fault: str) -> None:
    reason, words = AT_THE_PROBE[fault]
    not_run = probe(fault)
    assert (not_run.reason, words in not_run.detail) == (reason, True)


@installed
def test_the_table_tells_the_failures_apart(tmp_path: Path) -> None:
    records = [
        samples.record([], place="gpu", verdict="not run", not_run=probe(fault))
        for fault in AT_THE_PROBE
    ]
    crashes = measure(tmp_path, "crash", "test_masked_select and bit_exact and float64")
    records.append(samples.record(list(crashes.values()), place="gpu"))
    for number, record in enumerate(records):
        host = samples.host(cpu=f"Sample CPU {number}")
        store.write(record.model_copy(update={"host": host}), tmp_path / "records")
    page = tmp_path / "page"
    known, fixture = bugs.load(), releases.load()
    pages.write(view_of([tmp_path / "records"], known, fixture, manifest.load()), page)
    text = (page / "releases" / "2.3.2.html").read_text(encoding="utf-8")
    reasons = {reason for reason, _ in AT_THE_PROBE.values()}
    assert {reason for reason in reasons if reason in text} == reasons
    assert "crashed" in text


def test_what_a_stand_in_gave_is_never_published(tmp_path: Path) -> None:
    store.write(samples.record(place="gpu", stand_in="in-use"), tmp_path / "records")
    view = view_of([tmp_path / "records"], bugs.load(), releases.load(), manifest.load())
    assert view.facts.records == []
    assert "made with a stand-in device (in-use)" in view.errors[0]
