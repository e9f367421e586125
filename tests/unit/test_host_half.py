"""What the made-up driver's log says of who writes a tensor, and what is made of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import samples

from paddlecompat.environments.driver import answers
from paddlecompat.environments.driver.answers import Launched
from paddlecompat.fixtures import bugs, releases, uses
from paddlecompat.fixtures.releases import Release
from paddlecompat.records.build_answers import host_answer, wheel_answer
from paddlecompat.records.build_answers.host_answer import HostAnswer, Output
from paddlecompat.report import wheel_pages
from paddlecompat.report.answers import answer
from paddlecompat.report.facts import Facts, Question
from paddlecompat.studies.host_half import reading
from paddlecompat.studies.host_half.reading import cases_of, functions_of, outputs_of

SELECT = (
    "_ZN3phi5funcs12SelectKernelIbflfNS_19MaskedSelectFunctorIbffEELi4ELi1EEEvPT2_PKT_PKT0_PT1_T3_"
    "lli"
)
FULL = (
    "_ZN3phi5funcs27VectorizedElementwiseKernelIfNS_10FullFuctorIffEELi0ELi1ELi4EEEvNS_5ArrayIrPKc"
    "XT1_EEENS4_IPT_XT2_EEEiiT0_"
)
COUNT = "_ZN3phi5funcs19GetBlockCountKernelIblLi4EEEvPKT_PT0_ll"
OUTPUT, INPUT = 0x1000, 0x2000


def word(value: int) -> str:
    return value.to_bytes(8, "little").hex()


def launch(kernel: str, *arguments: str, grid: int = 1) -> dict[str, Any]:
    shape = {"grid": [grid, 1, 1], "block": [256, 1, 1]}
    told = {"what": "launch", "kernel": kernel, **shape, "arguments": list(arguments)}
    return {**told, "came": 1 if grid == 0 else 0, "carried_out": False}


def select(to: int, grid: int = 1) -> dict[str, Any]:
    """A launch of SelectKernel whose output is there."""
    return launch(SELECT, word(to), word(INPUT), word(INPUT), word(0x3000), grid=grid)


def copy(kind: str, to: int, source: int, size: int) -> dict[str, Any]:
    return {"what": "copy", "kind": kind, "to": to, "from": source, "bytes": size, "came": 0}


def mark(step: str, **told: object) -> dict[str, Any]:
    return {"what": "mark", "text": json.dumps({"step": step, **told})}


def log_of(folder: Path, *done: dict[str, Any], end: bool = True) -> Path:
    """The log of one call of masked_select that does so, and whose output of 12 bytes is read."""
    asked = {"operator": "masked_select", "dtype": "float32", "elements": 9, "mask": "every third"}
    lines = [mark("inputs", **asked), mark("call"), *done]
    if end:
        lines += [mark("read", tensor="output", elements=3), copy("to host", 0x9000, OUTPUT, 12)]
        lines += [mark("was read"), mark("all")]
    path = folder / "log"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def came(folder: Path, *done: dict[str, Any], end: bool = True) -> Output:
    """What came of the output."""
    (output,) = outputs_of(cases_of(log_of(folder, *done, end=end)))
    return output


def test_a_kernel_that_is_given_the_address_writes(tmp_path: Path) -> None:
    output = came(tmp_path, select(OUTPUT + 4))
    assert (output.came, output.writers) == ("written", ["SelectKernel with MaskedSelectFunctor"])


def test_an_address_in_an_array_counts(tmp_path: Path) -> None:
    assert came(tmp_path, launch(FULL, "00", word(OUTPUT))).came == "written"


def test_a_kernel_that_only_reads_there_writes_nothing(tmp_path: Path) -> None:
    reading = launch(SELECT, word(INPUT), word(OUTPUT), word(OUTPUT), word(0x3000))
    assert came(tmp_path, reading).came == "never written"


def test_a_launch_with_an_empty_grid_writes_nothing(tmp_path: Path) -> None:
    assert came(tmp_path, select(OUTPUT, grid=0)).came == "never written"


def test_a_kernel_that_counts_writes_no_output(tmp_path: Path) -> None:
    counting = launch(COUNT, word(INPUT), word(OUTPUT), word(9), word(0))
    assert came(tmp_path, counting).came == "never written"


def test_a_copy_into_it_writes(tmp_path: Path) -> None:
    assert came(tmp_path, copy("on device", OUTPUT, INPUT, 12)).writers == ["a copy on device"]


def test_a_copy_beside_it_writes_nothing(tmp_path: Path) -> None:
    assert came(tmp_path, copy("on device", OUTPUT + 12, INPUT, 12)).came == "never written"


def test_a_fill_of_nothing_writes_nothing(tmp_path: Path) -> None:
    filled = {"what": "fill", "at": OUTPUT, "bytes": 0, "came": 0}
    assert came(tmp_path, filled).came == "never written"


def test_what_was_written_before_the_call_does_not_count(tmp_path: Path) -> None:
    path = log_of(tmp_path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], json.dumps(select(OUTPUT)), *lines[1:]]) + "\n")
    assert [output.came for output in outputs_of(cases_of(path))] == ["never written"]


def test_a_process_that_dies_in_a_call_is_told(tmp_path: Path) -> None:
    assert came(tmp_path, select(OUTPUT), end=False).came == "died"


def test_an_error_has_its_words(tmp_path: Path) -> None:
    output = came(tmp_path, mark("raised", words="OSError: CUDA error(700)"), end=False)
    assert (output.came, output.words) == ("raised", "OSError: CUDA error(700)")


def seen(folder: Path, copied: int, grid: int, by: str = "2.3.2 linux") -> str:
    """How a call that copies and launches so differs from what a wheel said."""
    wheels = {f"{one.version} {one.system}": one for one in wheel_answer.read_all()}
    wheel = wheels[by]
    done = [copy("to host", 0x9000, INPUT, copied), launch(COUNT, grid=grid), select(OUTPUT)]
    cumsum = "_ZN3phi5funcs14CumsumOneBlockIllNS_3kps10AddFunctorIlEELi2EEEvPKT_PT0_iiT1_"
    path = log_of(folder, *done, launch(cumsum))
    path.write_text(path.read_text().replace('"elements": 9', '"elements": 1'))
    path.write_text(path.read_text().replace('\\"elements\\": 9', '\\"elements\\": 1'))
    (function,) = functions_of(cases_of(path), wheel)
    return function.differs


def test_what_the_wheel_said_is_no_difference(tmp_path: Path) -> None:
    assert seen(tmp_path, copied=8, grid=1) == ""


def test_another_copy_is_a_difference(tmp_path: Path) -> None:
    assert "copies [4] bytes, not 8" in seen(tmp_path, copied=4, grid=1)


def test_another_grid_is_a_difference(tmp_path: Path) -> None:
    assert "launches" in seen(tmp_path, copied=8, grid=2)


def test_a_wheel_that_was_not_read_says_nothing(tmp_path: Path) -> None:
    assert seen(tmp_path, copied=4, grid=2, by="2.2.2 windows") == ""


def test_a_short_name_has_the_functor() -> None:
    assert reading.short_name(FULL) == "VectorizedElementwiseKernel with FullFuctor"


def test_parameters_are_those_of_the_declaration() -> None:
    kinds = reading.parameters(COUNT)
    assert kinds == ["bool const*", "long*", "long", "long"]


def test_every_declared_fault_is_of_the_form() -> None:
    assert {"well", "no-code", "lost", "too-old", "unlinked"} <= answers.load().keys()


def test_settings_are_what_the_driver_reads() -> None:
    settings = answers.load()["no-code"].settings(Path("log"))
    assert (settings["MADE_UP_LAUNCH"], settings["MADE_UP_LOG"]) == ("209", "log")


def test_a_launch_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="grid"):
        Launched.model_validate({**select(OUTPUT), "grid": [1]})


@pytest.mark.parametrize("one", host_answer.read_all(), ids=lambda one: one.file_name)
def test_what_is_published_says_its_basis(one: HostAnswer) -> None:
    assert "no measurement on a GPU" in " ".join(wheel_pages.host_lines(one))


def test_the_page_never_takes_it_for_a_gpu_result() -> None:
    text = wheel_pages.render_host(host_answer.read_all())
    assert "is no measurement on a GPU" in text


def test_the_page_names_the_wheels_that_are_left() -> None:
    text = wheel_pages.render_host([], wheel_answer.read_all())
    assert ("2.3.2 Linux" in text, "2.5.0 Linux" in text) == (True, False)


def host_answer_with(tensor: str) -> HostAnswer:
    """That of a build of 2.4.2 which never writes this tensor of masked_select."""
    unwritten = Output(
        operator="masked_select",
        tensor=tensor,
        dtype="float32",
        came="never written",
        cases=["3, all False"],
    )
    build = samples.build(distribution="paddlepaddle-gpu", version="2.4.2")
    return HostAnswer(
        build=build,
        release="2.4.2",
        system="linux",
        host=samples.host(),
        sources="0" * 64,
        functions=[],
        against=None,
        outputs=[unwritten],
        failed=[],
        training=[],
    )


def test_an_output_that_no_bug_names_is_new() -> None:
    seen = host_answer_with("output")
    assert seen.new(bugs.load()) == seen.outputs


def test_a_bug_seen_on_the_host_half_says_so_in_the_answer() -> None:
    seen = host_answer_with("gradient by x")
    asked = Question(use="read", release="2.4.2", how="pinned", system="linux", capability="7.5")
    known = bugs.load(), releases.load(), (), uses.load_uses()
    told = answer(asked, Facts([], *known, hosts=[seen]))
    assert (told.worst, told.basis) == ("silent", "measured on the host half")
    assert answer(asked, Facts([], *known)).basis == "unknown"


@pytest.mark.parametrize("one", host_answer.read_all(), ids=lambda one: one.file_name)
def test_each_find_that_is_published_is_a_bug(one: HostAnswer) -> None:
    assert one.new(bugs.load()) == []


def test_a_bug_names_the_releases_that_were_measured() -> None:
    blocks = [where for bug in bugs.load().bug for where in bug.expected if where.on_host_half]
    released = [release.version for release in releases.load().release]
    seen = host_answer.read_all()
    for where in blocks:
        shown = {one.release for one in seen if one.shown_of(where)}
        assert {version for version in released if where.concerns(version)} == shown


@pytest.mark.parametrize("release", releases.load().release, ids=lambda one: one.version)
def test_failed_launches_are_noticed_as_measured(release: Release) -> None:
    seen = [one for one in host_answer.read_all() if one.release == release.version]
    by_nothing = any(not one.noticing for one in seen)
    assert release.failed_launches == (False if by_nothing else None)
