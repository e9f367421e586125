"""Sample data for the tests: each function gives a sound one, with what the test changes."""

from __future__ import annotations

from collections.abc import Sequence

from paddlecompat.fixtures.expectations import Expectation
from paddlecompat.fixtures.field_reports import FieldReport
from paddlecompat.records.record import (
    Device,
    Evidence,
    Host,
    MeasuredBuild,
    PropertyResult,
    Record,
    verdict_of,
)


def host(**changes: object) -> Host:
    """A Linux machine without a GPU."""
    known: dict[str, object] = {
        "os": "Linux 6.1",
        "machine": "x86_64",
        "libc": "glibc 2.36",
        "python": "CPython 3.10.13",
        "cpu": "Sample CPU",
    }
    return Host.model_validate(known | changes)


def build(**changes: object) -> MeasuredBuild:
    """A wheel of 2.3.2."""
    known: dict[str, object] = {
        "distribution": "paddlepaddle-gpu",
        "version": "2.3.2",
        "cuda": "10.2",
        "cudnn": "7.6.5",
        "wheel": "paddlepaddle_gpu-2.3.2-cp310-cp310-manylinux1_x86_64.whl",
        "sha256": "0123456789abcdef" * 4,
        "locked": True,
        "source": "index",
    }
    return MeasuredBuild.model_validate(known | changes)


def device(**changes: object) -> Device:
    """A card of 2020."""
    known: dict[str, object] = {
        "name": "NVIDIA GeForce RTX 3090",
        "capability": "8.6",
        "memory_gib": 24.0,
        "driver": "535.104.05",
        "driver_cuda": "12.2",
        "runtime": {"cudart": "11.2", "cudnn": "8.2.1"},
    }
    return Device.model_validate(known | changes)


def evidence(**changes: object) -> Evidence:
    """A violation's evidence."""
    known: dict[str, object] = {
        "case": "x int64 [2], mask [True, True]",
        "expected": "[8, 9] (int64, shape [2])",
        "actual": "[0, 0] (int64, shape [2])",
        "script": "import paddle\nimport numpy as np\n",
    }
    return Evidence.model_validate(known | changes)


def result(**changes: object) -> PropertyResult:
    """A property that holds; one that is violated comes with evidence."""
    known: dict[str, object] = {
        "group": "masked_select",
        "name": "test_selection_is_bit_exact[float32]",
        "outcome": "holds",
        "calls": 50,
        "examples": 50,
        "seconds": 1.5,
    }
    if changes.get("outcome") == "violated":
        known |= {"message": "values: expected [8, 9], got [0, 0]", "evidence": evidence()}
    return PropertyResult.model_validate(known | changes)


def record(properties: Sequence[PropertyResult] | None = None, **changes: object) -> Record:
    """A CPU cell of 2.3.2, sound unless told otherwise; name and verdict follow what is changed."""
    results = [result()] if properties is None else list(properties)
    known: dict[str, object] = {
        "release": "2.3.2",
        "place": "cpu",
        "host": host(),
        "build": build(),
        "profile": "standard",
        "seed": 7,
        "verdict": verdict_of(results),
        "properties": results,
        "measured_at": "2025-01-02T03:04:05Z",
    }
    known |= changes
    return Record.model_validate({"cell": f"{known['place']}-{known['release']}", **known})


def expectation(**changes: object) -> Expectation:
    """One that explains a violation of `result()` in `record()`."""
    known: dict[str, object] = {
        "releases": ["2.3.*"],
        "place": "cpu",
        "property": "masked_select::test_selection_is_bit_exact[float32]",
        "outcome": "violated",
        "cause": "the count overwrites the launch grid",
        "means": "every loss may be wrong",
        "means_zh": "所有损失都可能出错",
        "link": "https://github.com/PaddlePaddle/Paddle/pull/44181",
    }
    return Expectation.model_validate(known | changes)


def field_report(**changes: object) -> FieldReport:
    """One that saw nonzero of 2.3.2 go wrong on Windows."""
    known: dict[str, object] = {
        "releases": ["2.3.2"],
        "cuda": ["11.2"],
        "os": "Windows",
        "groups": ["nonzero"],
        "seen": "wrong",
        "what": "nonzero gives zeros",
        "what_zh": "nonzero 得到零",
        "link": "https://github.com/PaddlePaddle/Paddle/issues/43420",
        "date": "2022-06-10",
    }
    return FieldReport.model_validate(known | changes)
