"""What the terminal says of a cell."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import samples
from written_report import idle, violated

from paddlecompat.fixtures.bugs import Known
from paddlecompat.folders import TESTS
from paddlecompat.records.judging import judge
from paddlecompat.records.record import BuildFor, NotRun, Record
from paddlecompat.report import terminal


def lines(record: Record, script: Path | None = None) -> str:
    scripts = {result.key: script for result in record.properties} if script else {}
    return "\n".join(terminal.verdict_lines(record, judge(record, Known()), scripts))


def test_a_cell_ends_in_one_line() -> None:
    refused = samples.result(name="test_int8", outcome="unsupported", calls=0)
    record = samples.record([samples.result(calls=12345), refused])
    offered = samples.not_offered(properties=["*::test_int8"])
    assert "\n".join(terminal.verdict_lines(record, judge(record, offered))) == (
        "cpu-2.3.2: 1 property holds, 1 unsupported; 12,345 calls verified - as expected"
    )


def test_a_failed_cell_ends_with_evidence_and_script() -> None:
    words = lines(violated(), Path("repro") / "case.py")
    for part in ("mask [True, True]", "[8, 9]", "[0, 0]", str(Path("repro") / "case.py")):
        assert part in words


def test_a_failure_is_told_with_its_severity() -> None:
    record = samples.record([samples.result(outcome="violated", severity="bits")])
    assert " - violated (bits), " in lines(record)


def test_what_is_gone_or_absent_is_told_by_its_pattern() -> None:
    pattern = "masked_select::test_selection_is_bit_exact[float32]"
    known = samples.known(properties=[pattern, "nonzero::test_misspelt"])
    record = samples.record()
    assert terminal.verdict_lines(record, judge(record, known))[1:] == [
        f"  gone: {pattern}: the count overwrites the launch grid",
        "  expected, but not among the properties: nonzero::test_misspelt",
    ]


def test_a_cell_that_did_not_run_ends_with_its_reason() -> None:
    assert lines(idle()) == "gpu-2.3.2: not run: no CUDA device: No GPU was found."


def test_advice_is_not_cut_in_a_command() -> None:
    command = "`python -m pip install nvidia-cudnn-cu11==8.9.5.29 --no-deps`"
    detail = f"{'a library that this machine lacks; ' * 20}get it with {command}"
    record = samples.record([], not_run=NotRun(reason="no CUDA libraries", detail=detail))
    said = " ".join(terminal.verdict_lines(record, judge(record, Known()), {}))
    assert " ".join(said.split()).endswith(command)


def test_a_wheel_without_code_is_told_with_the_command() -> None:
    record = idle(samples.unsupported())
    *sentence, command = lines(record).splitlines()
    assert " ".join(" ".join(sentence).split()) == (
        "gpu-2.3.2: not run: silent, derived from the build: no kernel of 2.3.2 runs on this card, "
        "as its wheel has code for sm_70, sm_75, and none for sm_86: every result of its kernels "
        "is garbage, and no error says so. Take 2.3.2.post116 instead:"
    )
    assert command == "  python -m pip install paddlepaddle-gpu==2.3.2.post116"
    assert terminal.build_lines(record)[0].startswith("  静默出错")


@pytest.mark.parametrize(
    ("noticed", "english", "chinese"),
    [
        (
            None,
            "silent, .* whether an error says so was not measured",
            "静默出错.*是否报错尚未实测",
        ),
        (False, "silent, .* and no error says so", "静默出错.*而且不会报错"),
        (True, "error, .* an error says so", "报错.*会报错"),
    ],
)
def test_whether_a_failed_launch_is_noticed_is_told_as_measured(
    noticed: bool | None, english: str, chinese: str
) -> None:
    found = terminal.no_code_lines(samples.no_code(noticed=noticed))
    assert re.match(english, found[0])
    assert re.match(chinese, found[1])


def test_where_no_build_fits_no_command_is_told() -> None:
    record = idle(samples.unsupported(instead=None, install=""))
    assert "No build that is listed here runs on it with this driver." in " ".join(
        lines(record).split()
    )
    assert "没有一个能在该显卡和驱动上运行" in "".join(terminal.build_lines(record))


def test_what_is_no_longer_offered_is_told_with_its_words() -> None:
    refused = samples.result(name="test_int8", outcome="unsupported", calls=0, message="no int8")
    words = lines(samples.record([samples.result(), refused]))
    assert "masked_select::test_int8 - no longer offered, new" in words
    assert "no int8" in words


@pytest.mark.parametrize("outcome", ["holds", "violated"])
def test_what_died_once_is_told(outcome: str) -> None:
    record = samples.record([samples.result(outcome=outcome, once="crashed: signal 11")])
    assert "crashed: signal 11" in " ".join(lines(record).split())


def test_what_changed_since_it_imported_is_told() -> None:
    why = NotRun(reason="import failed", detail="no symbol", changed=["numpy 1.26.4 was 2.0.0"])
    assert "numpy 1.26.4 was 2.0.0" in lines(idle(why))


def test_no_line_has_what_a_terminal_obeys() -> None:
    words = lines(samples.record([samples.result(outcome="violated", message="\x1b[2J\x9b")]))
    assert not set("\x1b\x9b") & set(words)


def test_long_evidence_stays_short_on_the_terminal() -> None:
    told = lines(violated(expected="0.5, " * 1000)).splitlines()
    assert len(told) < 20
    assert max(map(len, told)) <= 100


def test_an_output_that_holds_the_poison_is_explained() -> None:
    words = lines(violated(actual="[-7.25e+77] (float64, shape [1])"))
    assert "it was never written" in " ".join(words.split())


def test_the_poison_is_what_memory_is_filled_with() -> None:
    texts = (path.read_text(encoding="utf-8") for path in (TESTS / "properties").rglob("*.py"))
    patterns = {found for text in texts for found in re.findall(r"-7\.\d+e\+?77", text)}
    (raw,) = {float(pattern) for pattern in patterns}
    for kind in ("float64", "float32"):
        printed = np.array2string(np.full(1, raw).view(kind), separator=",")
        assert any(known in printed for known in terminal.POISON)


def test_the_build_of_each_example_card_is_told() -> None:
    given = [
        BuildFor(card="RTX 3090 (8.6)", build="2.3.2.post112", why="code for 8.6"),
        BuildFor(card="H100 (9.0)", build=None, why="nothing for 9.0"),
    ]
    why = NotRun(reason="no CUDA device", detail="No GPU was found.", builds=given)
    assert terminal.build_lines(idle(why)) == [
        "  what it would measure on other machines:",
        "  RTX 3090 (8.6): 2.3.2.post112, code for 8.6",
        "  H100 (9.0): nothing for 9.0",
    ]


def test_a_measured_cell_has_no_example_cards() -> None:
    assert terminal.build_lines(samples.record()) == []
