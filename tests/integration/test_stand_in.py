"""A GPU cell from its device to its record, in an installed release: the device is not there.

The environment is that of cpu-2.3.2, as the README's first command leaves it (and `.ci/run`).
"""

from __future__ import annotations

from pathlib import Path

import pytest
import samples

from paddlecompat.cells import filling, option_set
from paddlecompat.cells.option_set import Options
from paddlecompat.environments.environment import Prepared
from paddlecompat.environments.installer import python_of
from paddlecompat.fixtures import expectations, releases
from paddlecompat.fixtures.folders import environment_of
from paddlecompat.machine.choice import Machine
from paddlecompat.records import store
from paddlecompat.records.record import Device, Environment, PropertyResult, Record, Seconds
from paddlecompat.report import pages

FIXTURE = releases.load()
GPU = releases.cell_named("gpu-2.3.2", FIXTURE)
INSTALLED = environment_of("cpu-2.3.2")
EXACT = "test_selection_is_bit_exact[{}]"

pytestmark = pytest.mark.skipif(
    not python_of(INSTALLED).exists(), reason="nox -s cpu-2.3.2 makes the environment"
)


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Measure:
    return Measure(tmp_path, monkeypatch)


class Measure:
    """gpu-2.3.2 with a fault of the stand-in."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        made = Prepared(
            made_from="",
            folder=INSTALLED,
            build=samples.build(),
            environment=Environment(packages={}, mended=[]),
            seconds=Seconds(),
        )

        def machine(found: Device) -> Machine:
            served = found.driver_cuda
            return Machine("linux", found.capability, found.driver, served, frozenset({"pypi"}))

        monkeypatch.setattr(option_set, "WORK", folder / "work")
        monkeypatch.setattr(filling, "ROOT", folder)
        monkeypatch.setattr(filling, "prepare", lambda *_: made)
        monkeypatch.setattr(filling, "machine_with", machine)
        monkeypatch.setattr(expectations, "load", lambda *_: [])

    def __call__(self, fault: str, keyword: str = "bit_exact and float", **asked: str) -> Record:
        request = option_set.Request("gpu", "quick", 1, keyword, stand_in=fault, **asked)  # type: ignore[arg-type]  # fields that are strings
        filling.fill(GPU, FIXTURE, INSTALLED, Options(request))
        (path,) = (self.folder / "work" / "gpu-2.3.2").glob("gpu-2.3.2@*.json")
        record = store.read(path)
        store.write(record, self.folder / "records")
        path.unlink()
        return record


def of(record: Record, name: str) -> PropertyResult:
    return next(result for result in record.properties if result.name == name)


def test_on_a_sound_device_the_properties_hold(measured: Measure) -> None:
    record = measured("sound", "test_gpu or (test_masked_select and bit_exact and float32)")
    assert (record.verdict, record.stand_in) == ("sound", "sound")
    held = {result.group for result in record.properties if result.outcome == "holds"}
    assert held == {"gpu", "masked_select"}


def test_what_needs_more_memory_than_there_is_says_so(measured: Measure) -> None:
    result = of(measured("sound", "far_out"), "test_elements_far_out_are_selected[2147483649]")
    assert result.outcome == "unsupported"
    assert "2,147,483,649 elements need 64 GiB" in result.message


def test_output_that_is_not_written_is_violated_with_the_poison_in_it(measured: Measure) -> None:
    result = of(measured("unwritten"), EXACT.format("float64"))
    assert result.outcome == "violated"
    assert result.evidence is not None
    assert "-7.25e+77" in result.evidence.actual


def test_each_property_of_a_gpu_alone_can_fail(measured: Measure) -> None:
    forgets = measured.folder / "forgets.py"
    forgets.write_text("def poison(true):\n    return lambda nbytes: None\n", encoding="utf-8")
    unwritten = measured("unwritten", "test_gpu")
    asked = {"defect": f"{forgets}::poison", "target": "memory.poison"}
    unpoisoned = measured("sound", "test_gpu and poison", **asked)
    failed = [r for record in (unwritten, unpoisoned) for r in record.properties]
    violated = {result.name for result in failed if result.outcome == "violated"}
    offered = {result.name for result in unwritten.properties if result.outcome != "unsupported"}
    assert violated == offered


def test_a_crash_costs_the_properties_that_crash(measured: Measure) -> None:
    record = measured("crash")
    assert of(record, EXACT.format("float64")).outcome == "crashed"
    assert of(record, EXACT.format("float32")).outcome == "holds"


def test_a_spoiled_context_is_charged_to_the_property_that_spoiled_it(measured: Measure) -> None:
    record = measured("spoiled", "test_masked_select and bit_exact and int and not boundary")
    spoiler = of(record, EXACT.format("int64"))
    assert spoiler.outcome == "crashed"
    assert "the device no longer answered: OSError: (External) CUDA error(700)" in spoiler.message
    assert of(record, EXACT.format("int32")).outcome == "holds"


def test_a_refusal_that_ends_the_context_is_a_refusal(measured: Measure) -> None:
    record = measured("asserts", "label and refused or published_case")
    asked = [r for r in record.properties if "refused" in r.name or "label" in r.name]
    assert {r.outcome for r in asked} == {"holds"}
    assert all(r.calls for r in asked)
    assert any("CUDA error(719)" in r.message for r in asked)


def test_a_fault_of_memory_where_a_refusal_was_due_is_none(measured: Measure) -> None:
    record = measured("overruns", "label and refused and 460")
    assert {r.outcome for r in record.properties} == {"crashed"}
    assert "CUDA error(700)" in record.properties[0].message


@pytest.mark.parametrize(
    ("fault", "reason", "words"),
    [
        ("exit", "device refused", "exit status 255"),
        ("no-kernel-image", "device not supported by the build", "no kernel image is available"),
        ("driver-too-old", "driver too old", "driver 384.81 serves CUDA 9.0"),
        ("too-little-memory", "too little device memory", "Cannot allocate"),
        ("in-use", "device in use", "busy or unavailable"),
    ],
)
def test_a_device_that_cannot_be_used_is_not_run_in_words_of_its_own(
    measured: Measure, fault: str, reason: str, words: str
) -> None:
    not_run = measured(fault).not_run
    assert not_run is not None
    assert (not_run.reason, words in not_run.detail) == (reason, True)


def test_the_table_tells_the_failures_apart(measured: Measure) -> None:
    for fault in ("exit", "no-kernel-image", "driver-too-old", "too-little-memory", "in-use"):
        measured(fault)
    measured("crash", "test_masked_select and bit_exact and float64 and not boundary")
    folder = measured.folder / "records"
    pages.write(folder, folder / "page", expectations.EXPECTATIONS, FIXTURE, stand_ins=True)
    page = (folder / "page" / "compatibility.md").read_text(encoding="utf-8")
    reasons = {
        "device refused",
        "device not supported by the build",
        "driver too old",
        "too little device memory",
        "device in use",
    }
    assert {reason for reason in reasons if reason in page} == reasons
    assert "crashed" in page
    assert "Made with a stand-in for a device" in page


def test_what_a_stand_in_gave_is_never_published(measured: Measure) -> None:
    measured("in-use")
    summary = pages.write(
        measured.folder / "records", measured.folder / "page", expectations.EXPECTATIONS, FIXTURE
    )
    assert "made with a stand-in device (in-use)" in summary.errors[0]
