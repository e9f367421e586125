"""Sample data for the tests: each function gives a sound one, with what the test changes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any, TypeVar

from paddlecompat.cells.suite import Ran
from paddlecompat.fixtures.bugs import Bug, Expected, Known, NotOffered, Where
from paddlecompat.fixtures.forms import Model
from paddlecompat.fixtures.manifest import Manifest, ManifestProperty
from paddlecompat.fixtures.published import FieldReport
from paddlecompat.records.record import (
    Conditions,
    Evidence,
    NoCode,
    NotRun,
    PropertyResult,
    Reason,
    Record,
    verdict_of,
)
from paddlecompat.records.subject import Device, Host, MeasuredBuild

Form = TypeVar("Form", bound=Model)

SAMPLES: dict[type[Model], dict[str, object]] = {
    # A Linux machine without a GPU.
    Host: {
        "os": "Linux 6.1",
        "machine": "x86_64",
        "libc": "glibc 2.36",
        "python": "CPython 3.10.13",
        "cpu": "Sample CPU",
    },
    MeasuredBuild: {
        "distribution": "paddlepaddle-gpu",
        "version": "2.3.2",
        "cuda": "10.2",
        "cudnn": "7.6.5",
        "wheel": "paddlepaddle_gpu-2.3.2-cp310-cp310-manylinux1_x86_64.whl",
        "sha256": "0123456789abcdef" * 4,
        "locked": True,
        "source": "index",
    },
    Device: {
        "name": "NVIDIA GeForce RTX 3090",
        "capability": "8.6",
        "memory_gib": 24.0,
        "driver": "535.104.05",
        "driver_cuda": "12.2",
        "runtime": {"cudart": "11.2", "cudnn": "8.2.1"},
    },
    Conditions: {
        "suite": "fedcba9876543210" * 4,
        "properties": 1,
        "workers": 2,
        "seconds_per_property": 180.0,
        "outcomes": {"holds": 1},
    },
    # PyPI's 2.3.2 on the sample device.
    NoCode: {
        "build": "2.3.2",
        "has": ["7.0", "7.5"],
        "capability": "8.6",
        "noticed": False,
        "instead": "2.3.2.post116",
        "install": "python -m pip install paddlepaddle-gpu==2.3.2.post116",
    },
    Evidence: {
        "case": "x int64 [2], mask [True, True]",
        "expected": "[8, 9] (int64, shape [2])",
        "actual": "[0, 0] (int64, shape [2])",
        "script": "import paddle\nimport numpy as np\n",
    },
    PropertyResult: {
        "group": "masked_select",
        "name": "test_selection_is_bit_exact[float32]",
        "outcome": "holds",
        "calls": 50,
        "examples": 50,
        "due": 30,
        "seconds": 1.5,
    },
    # It speaks of the sample result in the sample record.
    Where: {
        "releases": ["2.3.*"],
        "place": "cpu",
        "properties": ["masked_select::test_selection_is_bit_exact[float32]"],
    },
    Bug: {
        "id": "count-overwrites-grid",
        "title": "masked_select gives what memory held",
        "title_zh": "masked_select 返回内存中原有的内容",
        "cause": "the count overwrites the launch grid",
        "severity": "silent",
        "means": "every loss may be wrong",
        "means_zh": "所有损失都可能出错",
        "advice": "take another build",
        "advice_zh": "换用其他构建",
        "link": "https://github.com/PaddlePaddle/Paddle/pull/44181",
        "state": "fixed",
        "fixed_in": "2.4.0",
    },
    FieldReport: {
        "releases": ["2.3.2"],
        "cuda": ["11.2"],
        "os": "Windows",
        "groups": ["nonzero"],
        "seen": "wrong",
        "cause": ["unwritten output"],
        "what": "nonzero gives zeros",
        "what_zh": "nonzero 得到零",
        "link": "https://github.com/PaddlePaddle/Paddle/issues/43420",
        "date": "2022-06-10",
    },
}


def sample(model: type[Form], **changes: object) -> Form:
    """The sample of a model, with these changes."""
    return model.model_validate(SAMPLES[model] | changes)


host = partial(sample, Host)
build = partial(sample, MeasuredBuild)
device = partial(sample, Device)
conditions = partial(sample, Conditions)
evidence = partial(sample, Evidence)
no_code = partial(sample, NoCode)
field_report = partial(sample, FieldReport)


def known(**where: object) -> Known:
    """One bug, which explains a violation of the sample result in the sample record."""
    expected = Expected.model_validate(SAMPLES[Where] | {"outcome": "violated"} | where)
    return Known(bug=[sample(Bug, expected=[expected])])


def not_offered(**where: object) -> Known:
    """That the sample record's release does not offer what the sample result asks for."""
    fields = SAMPLES[Where] | {"cause": "there is no kernel for it"} | where
    return Known(not_offered=[NotOffered.model_validate(fields)])


def toml_of(known: Known) -> str:
    """What is known, as its blocks of TOML."""
    lines: list[str] = []
    for bug in known.bug:
        lines += ["[[bug]]", *fields_of(bug, "expected")]
        for expected in bug.expected:
            lines += ["[[bug.expected]]", *fields_of(expected)]
    for refusal in known.not_offered:
        lines += ["[[not_offered]]", *fields_of(refusal)]
    return "".join(f"{line}\n" for line in lines)


def fields_of(model: Model, *left_out: str) -> list[str]:
    """Lines of TOML, without the fields that are not set; a string of JSON is one of TOML."""
    fields = json.loads(model.model_dump_json(exclude_defaults=True, exclude=set(left_out)))
    return [f"{key} = {json.dumps(value)}" for key, value in fields.items()]


SUITE = Manifest(
    digest="fedcba9876543210" * 4,
    properties=[
        ManifestProperty(
            key="masked_select::test_selection_is_bit_exact[float32]",
            calls=50,
            places=("cpu", "gpu"),
        )
    ],
)
"""The manifest whose properties the sample record has."""


def result(**changes: object) -> PropertyResult:
    """A property that holds; one that is violated comes with evidence."""
    violated = {"message": "values: expected [8, 9], got [0, 0]", "evidence": evidence()}
    more = violated if changes.get("outcome") == "violated" else {}
    return sample(PropertyResult, **more | changes)


def unsupported(**changes: object) -> NotRun:
    """Why a cell did not run whose build has no code for the card."""
    reason: Reason = "device not supported by the build"
    return NotRun(reason=reason, detail="none for sm_86", no_code=no_code(**changes))


def conditions_of(results: Sequence[PropertyResult], **changes: object) -> Conditions | None:
    """Of a run that ended in these results; None where nothing ran."""
    outcomes = Counter(result.outcome for result in results)
    known = {"outcomes": outcomes, "properties": len(results)} | changes
    return conditions(**known) if results else None


def ran(results: Sequence[PropertyResult]) -> Ran:
    """What came of a run of the whole suite."""
    conditions = conditions_of(results)
    assert conditions is not None
    return Ran(results=list(results), conditions=conditions)


def record(properties: Sequence[PropertyResult] | None = None, **changes: Any) -> Record:
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
        "conditions": conditions_of(results, **dict(changes.pop("conditions", {}))),
        "measured_at": "2025-01-02T03:04:05Z",
    }
    known |= changes
    return Record.model_validate({"cell": f"{known['place']}-{known['release']}", **known})
