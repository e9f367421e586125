"""Data drawn from a JSON Schema, as pydantic makes it, for the tests."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pydantic
import pytest
from hypothesis import strategies as st
from packaging.version import Version

AS_PUBLISHED = pytest.mark.skipif(
    Version(pydantic.VERSION) < Version("2.9"),
    reason="an older pydantic, the newest that Wine 8 runs, writes schemas otherwise",
)
WORDS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["<b>|`x`*[l](javascript:x)", "\x00\x1b[2J\u202e", '"' * 400, "a" + " " * 300]),
)


def drawn(schema: dict[str, Any], known: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What is of this schema, and short; `known` are the definitions that it refers to."""
    if "$ref" in schema:
        return drawn(known[schema["$ref"].rpartition("/")[2]], known)
    if "allOf" in schema:  # by pydantic before 2.9, a reference with a description
        return drawn(schema["allOf"][0], known)
    if "anyOf" in schema:
        return st.one_of([drawn(option, known) for option in schema["anyOf"]])
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    found: st.SearchStrategy[Any] = BY_TYPE[schema["type"]](schema, known)
    return found


def texts(schema: dict[str, Any], known: dict[str, Any]) -> st.SearchStrategy[str]:
    if schema.get("format") == "date-time":
        return st.datetimes().map(datetime.isoformat)
    if schema.get("format") == "date":
        return st.dates().map(date.isoformat)
    if "pattern" in schema:
        ascii_alone = st.characters(max_codepoint=127)
        return st.from_regex(schema["pattern"], fullmatch=True, alphabet=ascii_alone)
    return WORDS.filter(lambda text: len(text) <= schema.get("maxLength", 400))


def integers(schema: dict[str, Any], known: dict[str, Any]) -> st.SearchStrategy[int]:
    most = schema.get("maximum", schema.get("exclusiveMaximum", 2**31) - 1)
    return st.integers(schema.get("minimum", 0), most)


def numbers(schema: dict[str, Any], known: dict[str, Any]) -> st.SearchStrategy[float]:
    least = schema.get("minimum", schema.get("exclusiveMinimum"))
    finite = st.floats(min_value=least, allow_nan=False, allow_infinity=False)
    return finite.filter(lambda number: number != schema.get("exclusiveMinimum"))


def lists(schema: dict[str, Any], known: dict[str, Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(drawn(schema["items"], known), min_size=schema.get("minItems", 0), max_size=3)


def objects(schema: dict[str, Any], known: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    if "properties" not in schema:
        allowed = schema.get("propertyNames", {}).get("enum")
        names = st.sampled_from(allowed) if allowed else WORDS
        return st.dictionaries(names, drawn(schema["additionalProperties"], known), max_size=3)
    fields = {name: drawn(field, known) for name, field in schema["properties"].items()}
    required = {name: fields.pop(name) for name in schema.get("required", ())}
    return st.fixed_dictionaries(required, optional=fields)


BY_TYPE: dict[str, Any] = {
    "null": lambda schema, known: st.none(),
    "boolean": lambda schema, known: st.booleans(),
    "string": texts,
    "integer": integers,
    "number": numbers,
    "array": lists,
    "object": objects,
}
