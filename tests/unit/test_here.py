"""What is installed is measured as it is, and the verdict is one that a person can act on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import samples

from paddlecompat.cells import here
from paddlecompat.cells.keeping import Filled
from paddlecompat.cells.option_set import Options
from paddlecompat.cells.suite import Ran, Request
from paddlecompat.environments.installed import Installed, Interpreter
from paddlecompat.fixtures.bugs import Known
from paddlecompat.fixtures.forms import Language, Place
from paddlecompat.machine.choice import Machine
from paddlecompat.records import advice_results, judging, store
from paddlecompat.records.advice_results import Measured
from paddlecompat.records.judging import Status, status_of
from paddlecompat.records.record import NotRun, PropertyResult, Record
from paddlecompat.records.subject import Device
from paddlecompat.report import terminal

NO_DEVICE = NotRun(reason="no CUDA device", detail="no NVIDIA driver")
LANGUAGES: tuple[Language, ...] = ("en", "zh")
NO_HEAD = "PaddleDetection's head cannot be imported: No module named 'ppdet'"


# Where it is measured, and what is kept.


class Desk:
    """An installed Paddle whose device and properties are what the test says."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.results = [samples.result()]
        self.cuda: str | None = "11.2"
        self.version = "2.3.2.post112"
        self.device: Device | NotRun = NO_DEVICE
        self.known = Known()
        self.advised: list[str] = []
        self.problem = ""
        self.came: Measured | str | None = None
        stand_ins: dict[str, object] = {
            "installed.read_interpreter": self.read,
            "installed.settings_for": lambda _: {},
            "follow_advice": self.follow,
            "gpus.look": lambda: self.device,
            "filling.machine_with": lambda _: Machine("linux", "8.6", "535.104.05", "12.2"),
            "gpus.try_device": lambda *_: {},
            "suite.run": self.run,
            "bugs.load": lambda: self.known,
            "RUNS": folder / "runs",
        }
        for name, stand_in in stand_ins.items():
            patch.setattr(f"paddlecompat.cells.here.{name}", stand_in)

    def read(self, _: Path | None) -> Installed:
        python = Interpreter(path=Path(sys.executable), python="3.10")
        changes = {"source": "installed", "wheel": "", "sha256": None, "cuda": self.cuda}
        build = samples.build(version=self.version, **changes)
        return Installed(python, "2.3.2", build, {"numpy": "1.23.5"})

    def follow(self, _: Path, place: Place, *__: object) -> Measured:
        self.advised.append(place)
        if self.problem:
            raise ValueError(self.problem)
        return measured()

    def run(self, python: Path, request: Request, folder: Path) -> Ran:
        ran, partial = samples.ran(self.results), {"partial": request.options.partial}
        return ran.model_copy(update={"conditions": ran.conditions.model_copy(update=partial)})

    def measure(self, place: Place | None = None, folder: str = "here", **asked: Any) -> Filled:
        options = Options(seed=7, records=self.folder / folder, **asked)
        filled, self.came = here.measure(options, None, place)
        return filled

    def record(self, folder: str = "here") -> Record:
        (path,) = (self.folder / folder).glob("*.json")
        return store.read(path)


def measured(right: int = 20, **variants: int) -> Measured:
    """Twenty cases: so many right without advice, and with each variant of selecting elsewhere."""
    runs = {advice_results.NO_ADVICE: right} | variants
    losses = [
        {
            "advice": name if name == advice_results.NO_ADVICE else "select on the CPU",
            "variant": name,
            "condition": "sound",
            "right": count,
            "trains": count,
            "raised": 20 - count,
        }
        for name, count in runs.items()
    ]
    known = {"release": "2.3.2", "place": "gpu", "seed": 0, "cases": 20, "losses": losses}
    return Measured.model_validate(known | {"accuracy": [], "targets": []})


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("asked_for", "cuda", "seen", "place"),
    [
        (None, "11.2", samples.device(), "gpu"),
        (None, "11.2", NO_DEVICE, "cpu"),
        (None, None, samples.device(), "cpu"),
        ("cpu", "11.2", samples.device(), "cpu"),
    ],
    ids=["a device", "no device", "no CUDA in the build", "as asked"],
)
def test_the_gpu_is_measured_where_build_and_machine_have_one(
    desk: Desk, asked_for: Place | None, cuda: str | None, seen: Device | NotRun, place: Place
) -> None:
    desk.cuda, desk.device = cuda, seen
    desk.measure(asked_for)
    assert (desk.record().place, desk.record().verdict) == (place, "sound")


def test_the_place_is_told_with_its_reason(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.measure()
    assert "on the CPU: no NVIDIA driver" in capsys.readouterr().out


def test_the_record_has_the_device_that_was_found(desk: Desk) -> None:
    desk.device = samples.device()
    desk.measure()
    assert desk.record().host.gpu == "NVIDIA GeForce RTX 3090"


def test_a_gpu_that_is_asked_for_and_missing_is_the_reason(desk: Desk) -> None:
    assert desk.measure("gpu").record.not_run == NO_DEVICE


def test_a_build_without_the_cards_code_is_told_first(desk: Desk) -> None:
    desk.version, desk.cuda, desk.device = "2.3.2", "10.2", samples.device()
    filled = desk.measure()
    first, *_ = terminal.verdict_lines(filled.record, filled.judgement)
    assert first.startswith(
        "gpu-2.3.2: not run: silent, derived from the build: no kernel of 2.3.2"
    )
    assert status_of(filled.record, filled.judgement, require_device=True) == Status.WORSE
    assert "静默出错" in "".join(terminal.build_lines(filled.record))
    assert filled.record.device == samples.device()


@pytest.mark.parametrize(("version", "cuda"), [("2.3.2", "11.2"), ("2.3.2.post112", "11.2")])
def test_a_build_for_another_cuda_is_measured(desk: Desk, version: str, cuda: str) -> None:
    desk.version, desk.cuda, desk.device = version, cuda, samples.device()
    assert desk.measure().record.verdict == "sound"


def test_the_record_is_a_cells_and_keeps_the_tag(desk: Desk) -> None:
    desk.measure()
    assert desk.record().cell == "cpu-2.3.2"
    assert desk.record().file_name.startswith("cpu-2.3.2.post112@")


def test_the_record_goes_to_a_folder_that_is_named(desk: Desk) -> None:
    desk.measure(folder="to be sent")
    assert desk.record("to be sent").verdict == "sound"
    assert list((desk.folder / "here").glob("*.json")) == []


def test_some_properties_alone_make_no_record_for_the_table(desk: Desk) -> None:
    desk.measure(keyword="select")
    assert list((desk.folder / "here").glob("*.json")) == []


@pytest.mark.parametrize("known", [False, True])
def test_a_violation_is_judged_by_what_is_known(desk: Desk, known: bool) -> None:
    desk.results = [samples.result(outcome="violated")]
    desk.known = samples.known() if known else Known()
    assert desk.measure().judgement.standing == ("as expected" if known else "worse")


def test_the_advice_is_followed_where_the_tensors_are(desk: Desk) -> None:
    desk.device = samples.device()
    desk.measure()
    assert desk.advised == ["gpu"]


def test_with_some_properties_alone_no_advice_is_followed(desk: Desk) -> None:
    desk.measure(keyword="select")
    assert desk.advised == []


def test_advice_that_cannot_be_followed_costs_nothing_else(desk: Desk) -> None:
    desk.problem = "exit status 139, no words"
    desk.measure()
    assert desk.came == "exit status 139, no words"
    assert desk.record().verdict == "sound"


# The verdict in plain words.


def told(*results: PropertyResult, followed: Measured | str | None = None) -> tuple[str, str]:
    """The English words and the Chinese, each in one line."""
    record = samples.record(results or None)
    judgement = judging.judge(record, Known())
    some = (terminal.here_lines(record, judgement, followed, None, lang) for lang in LANGUAGES)
    english, chinese = (" ".join(" ".join(lines).split()) for lines in some)
    return english, chinese


def test_a_new_violation_is_told_by_what_was_seen() -> None:
    english, chinese = told(samples.result(outcome="violated"))
    assert "New, and explained by nobody yet" in english
    assert "violated: values: expected [8, 9], got [0, 0]" in english
    assert "新发现" in chinese


def test_a_missing_paddledet_is_told_as_that() -> None:
    english, chinese = told(
        samples.result(),
        samples.result(group="ppyoloe_head", outcome="unsupported", calls=0, message=NO_HEAD),
    )
    assert "1 property of PP-YOLOE (ppyoloe_head), nor the advice" in english
    assert "paddledet is not installed here" in english
    assert "没有安装 paddledet" in chinese


def test_what_the_release_does_not_offer_is_told_in_its_words() -> None:
    refused = samples.result(name="test_b", outcome="unsupported", calls=0, message="no float16")
    english, _ = told(samples.result(), refused)
    assert "does not offer" in english
    assert "no float16" in english


def test_where_the_loss_is_right_no_advice_is_needed() -> None:
    english, chinese = told(followed=measured())
    assert "right in 20 of 20 cases as it is: no advice is needed" in english
    assert "无需采纳任何建议" in chinese


def test_advice_that_would_spoil_a_right_loss_is_named() -> None:
    english, _ = told(followed=measured(20, clip=5, sort=20))
    assert (
        "This advice would spoil it (of 20 cases): - select on the CPU, clip: right in 5" in english
    )
    assert "sort" not in english


def test_advice_that_restored_the_loss_is_told_from_the_rest() -> None:
    english, chinese = told(followed=measured(3, sort=20, clip=4))
    assert "right in 3 of 20 cases as it is" in english
    assert "This advice restored it: - select on the CPU, sort: right in 20" in english
    assert "This did not: - select on the CPU, clip: right in 4" in english
    assert "以下建议能使其恢复" in chinese


def test_where_no_advice_restored_the_right_loss_that_is_told() -> None:
    english, _ = told(followed=measured(3, clip=4))
    assert "No piece of advice restored it: train with another build" in english


def test_advice_that_could_not_be_followed_is_told() -> None:
    english, _ = told(followed="exit status 139, no words")
    assert "could not be tried: exit status 139" in english
