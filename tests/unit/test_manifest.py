"""The manifest lists the properties that there are: a run that asks fewer is no evidence."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from paddlecompat.fixtures import manifest
from paddlecompat.fixtures.manifest import PROPERTIES, digest_of

GROUPS = ("kernel", "ppyoloe")


def declared() -> set[str]:
    """The properties by their sources, without their parameters: 'where::test_a'."""
    found = set()
    for path in (path for group in GROUPS for path in (PROPERTIES / group).glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [node.name] if isinstance(node, ast.FunctionDef) else []
            if isinstance(node, ast.Assign):
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            tests = (name for name in names if name.startswith("test_"))
            found |= {f"{path.stem.removeprefix('test_')}::{name}" for name in tests}
    return found


def test_the_committed_manifest_is_of_these_sources() -> None:
    assert manifest.load().digest == digest_of(), "make it anew: nox -s manifest"


def test_every_property_is_listed_and_no_other() -> None:
    listed = {each.key.partition("[")[0] for each in manifest.load().properties}
    assert listed == declared()


def test_each_property_is_listed_once() -> None:
    keys = [each.key for each in manifest.load().properties]
    assert len(keys) == len(set(keys))


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PROPERTIES, tmp_path / "properties"))


@pytest.mark.parametrize(
    "name", ["kernel/test_where.py", "oracle/selecting.py", "conftest.py", "pytest.ini"]
)
def test_an_edit_changes_the_digest(copied: Path, name: str) -> None:
    path = copied / name
    path.write_text(path.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    assert digest_of(copied) != digest_of()


def test_a_deleted_module_changes_the_digest(copied: Path) -> None:
    (copied / "kernel" / "test_where.py").unlink()
    assert digest_of(copied) != digest_of()


def test_the_ends_of_lines_leave_the_digest(copied: Path) -> None:
    for path in (*copied.rglob("*.py"), copied / "pytest.ini"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert digest_of(copied) == digest_of()


def test_a_mutant_leaves_the_digest(copied: Path) -> None:
    (copied / "mutants" / "of_mine.py").write_text("MINE = 1\n", encoding="utf-8")
    assert digest_of(copied) == digest_of()


def test_the_listed_number_of_calls_is_due() -> None:
    listed = manifest.load()
    assert listed.due("ppyoloe_training::test_box_losses_match_at_each_step[TAL]", 100) == 80
    assert listed.due("masked_select::test_the_selection_is_a_copy", 100) == 100


def test_a_profile_of_fewer_examples_has_as_many_fewer_calls_due() -> None:
    listed = manifest.load()
    assert (
        listed.due("regressions::test_published_case_is_right[paddle-38929-all-false-mask]", 10)
        == 2
    )
    assert listed.due("ppyoloe_training::test_the_loss_falls[TAL]", 10) == 1


def test_a_bad_manifest_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text('{"digest": "", "properties": []}', encoding="utf-8")
    with pytest.raises(ValueError, match=r"manifest\.json: digest: .*nox -s manifest"):
        manifest.load(path)
