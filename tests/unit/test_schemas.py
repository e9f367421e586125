"""Each file that people edit has a published schema: current, documented, and as strict."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import drawn
import jsonschema
import pytest
import tomllib

from paddlecompat.folders import ROOT
from paddlecompat.report import pages

TOML = [file for file in pages.EDITED if file.endswith(".toml")]


def schema(file: str) -> dict[str, Any]:
    path = pages.SCHEMAS / f"{Path(file).stem}.schema.json"
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


def content(file: str) -> Any:
    """The content of a file as JSON has it: a date is text."""
    text = (ROOT / "fixtures" / file).read_text(encoding="utf-8")
    return (
        json.loads(json.dumps(tomllib.loads(text), default=str))
        if file in TOML
        else json.loads(text)
    )


def fields(form: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each field of a schema and of what it refers to, with its schema."""
    for name, model in {"": form, **form.get("$defs", {})}.items():
        for field, described in model.get("properties", {}).items():
            yield f"{name}.{field}", described


@drawn.AS_PUBLISHED
@pytest.mark.parametrize("file", pages.EDITED)
def test_the_published_schema_is_that_of_the_code(file: str, tmp_path: Path) -> None:
    pages.write_schemas(tmp_path)
    name = f"{Path(file).stem}.schema.json"
    assert (pages.SCHEMAS / name).read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.parametrize("file", pages.EDITED)
def test_the_committed_file_is_of_its_schema(file: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(file))
    jsonschema.validate(content(file), schema(file))


@pytest.mark.parametrize("file", TOML)
def test_a_file_names_its_schema_in_its_first_line(file: str) -> None:
    first, *_ = (ROOT / "fixtures" / file).read_text(encoding="utf-8").splitlines()
    path = ROOT / "fixtures" / first.removeprefix("#:schema ")
    assert path.samefile(pages.SCHEMAS / f"{Path(file).stem}.schema.json")


@pytest.mark.parametrize("file", pages.EDITED)
def test_every_field_of_a_schema_is_described(file: str) -> None:
    bare = [name for name, field in fields(schema(file)) if not field.get("description")]
    assert bare == []


@pytest.mark.parametrize(
    ("file", "block", "changes"),
    [
        ("releases.toml", "release", {"version": "2.3"}),
        ("releases.toml", "release", {"pyhton": "3.9"}),
        ("cuda.toml", "line", {"cuda": []}),
        ("bugs.toml", "not_offered", {"releases": ["2.4"]}),
        ("bugs.toml", "not_offered", {"properties": ["no group"]}),
        ("bugs.toml", "bug", {"link": "javascript:alert(1)"}),
        ("bugs.toml", "bug", {"id": "Not An Id"}),
        ("field-reports.toml", "report", {"seen": "odd"}),
        ("faults.toml", "fault", {"tests": ["no test"]}),
    ],
)
def test_a_mistake_is_one_in_the_schema_as_well(
    file: str, block: str, changes: dict[str, object]
) -> None:
    read = content(file)
    read[block][0] |= changes
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(read, schema(file))


@pytest.mark.parametrize("changes", [{"call": "sort"}, {"thread": "see issue 1"}, {"speed": 1}])
def test_a_mistake_in_a_published_case_is_one_too(changes: dict[str, object]) -> None:
    read = content("regressions.json")
    read[0] |= changes
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(read, schema("regressions.json"))
