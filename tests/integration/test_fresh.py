"""A fresh environment is what pip resolves, and tells what it needs: pip and uv, on loopback."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from integration.small_index import GARBAGE, SmallIndex, cell, hands, served_wheels
from paddlecompat.cells import filling
from paddlecompat.cells.option_set import Options
from paddlecompat.environments import fresh
from paddlecompat.environments.environment import Prepared, Wanted
from paddlecompat.environments.wheels import sha256_of
from paddlecompat.fixtures.releases import Fixture
from paddlecompat.machine.processes import run_checked
from paddlecompat.records.record import MachineFailed
from paddlecompat.records.subject import Resolution

pytestmark = pytest.mark.skipif(os.name == "nt", reason="pip is lent by links")
FIXTURE = Fixture(release=[cell().release])
NEEDS_OLD_PROTOBUF = """
if is_at_least("protobuf", (4,)):
    raise TypeError("Descriptors cannot be created directly.\\nMore information: https://x")
"""
NEEDS_TWO = (
    NEEDS_OLD_PROTOBUF
    + """
if is_at_least("numpy", (2,)):
    raise ImportError("numpy.core.multiarray failed to import")
"""
)
NEVER_IMPORTS = "raise ImportError('libcudart.so.10.2: cannot open shared object file')\n"
NO_HALF = """
def to_tensor(values):
    if values.dtype == "float16":
        raise NotImplementedError("no float16")
    return np.array(values).view(Tensor)
"""
NEVER_RIGHT = "def to_tensor(values):\n    return np.array(values * False).view(Tensor)\n"


@dataclass(frozen=True)
class Plain:
    """An environment that was made, and the index and folder that it was made from and in."""

    index: SmallIndex
    folder: Path
    made: Prepared


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallIndex]:
    with served_wheels(tmp_path, monkeypatch) as served:
        yield served


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plain]:
    """Of a release that works as pip resolves it. Tests leave it, and its index, as they are."""
    folder = tmp_path_factory.mktemp("plain")
    with pytest.MonkeyPatch.context() as patch, served_wheels(folder, patch) as index:
        index.offer_paddle(requires=["numpy", "setuptools"])
        yield Plain(index, folder, prepare(folder))


def prepare(folder: Path, again: Resolution | None = None) -> Prepared:
    """The environment of the release, as pip resolves it today or as it did."""
    wanted = Wanted(resolution=again)
    return fresh.prepare(cell(), FIXTURE, wanted, folder / "env", hands(folder))


def told_by(made: Prepared) -> Resolution:
    assert made.resolution is not None
    return made.resolution


def ask(made: Prepared, code: str) -> object:
    """What an expression comes to in the environment."""
    said = run_checked([made.python, "-c", f"import json, sys; print(json.dumps({code}))"]).said
    return json.loads(said)


# What is resolved.


def test_the_newest_that_pip_finds_is_installed(plain: Plain) -> None:
    lock = [line.partition(" ")[0] for line in told_by(plain.made).lock]
    assert lock == ["numpy==2.0.0", "paddlepaddle-gpu==2.6.9", "setuptools==99.0.0"]
    assert plain.made.environment.packages["numpy"] == "2.0.0"


def test_a_release_that_works_as_resolved_needs_nothing(plain: Plain) -> None:
    told = told_by(plain.made)
    assert (told.refused, told.needs, told.pins) == ("", [], [])
    assert told.command == "python -m pip install paddlepaddle-gpu==2.6.9"


def test_the_same_resolution_makes_nothing_anew(plain: Plain) -> None:
    again = prepare(plain.folder)
    assert (plain.made.seconds.environment_reused, again.seconds.environment_reused) == (
        False,
        True,
    )
    assert again.resolution == plain.made.resolution


def test_an_environment_used_again_tells_when_pip_was_asked(plain: Plain) -> None:
    earlier = told_by(plain.made).model_copy(update={"on": date(2025, 1, 2), "pip": "24.0"})
    again = prepare(plain.folder, earlier)
    assert (again.seconds.environment_reused, again.resolution) == (True, earlier)


def test_another_resolution_makes_it_anew(index: SmallIndex, tmp_path: Path) -> None:
    index.offer_paddle()
    prepare(tmp_path)
    (tmp_path / "env" / "left over").touch()
    index.list("numpy", "1.26.4")
    assert prepare(tmp_path).environment.packages["numpy"] == "1.26.4"
    assert not (tmp_path / "env" / "left over").exists()


def test_the_environment_of_a_record_is_made_again(plain: Plain, tmp_path: Path) -> None:
    sha256 = sha256_of(plain.index.folder / "numpy" / "numpy-1.26.4-py3-none-any.whl")
    lock = [f"numpy==1.26.4 --hash=sha256:{sha256}", *told_by(plain.made).lock[1:]]
    earlier = told_by(plain.made).model_copy(update={"on": date(2025, 1, 2), "lock": lock})
    stale = earlier.model_copy(update={"refused": "no symbol", "needs": None, "pins": None})
    made = prepare(tmp_path, stale)
    assert made.environment.packages["numpy"] == "1.26.4"
    assert made.resolution == earlier


def test_another_wheel_than_was_resolved_is_not_installed(
    plain: Plain, index: SmallIndex, tmp_path: Path
) -> None:
    index.offer_paddle("# uploaded anew\n")
    with pytest.raises(MachineFailed, match=r"2\.6\.9.*\.whl: not the file that pip resolved"):
        prepare(tmp_path, told_by(plain.made))


# What the properties need beside it.


def test_what_the_properties_need_comes_last(plain: Plain) -> None:
    installed = ["numpy", "paddlepaddle-gpu", "pip", "setuptools"]
    assert sorted(plain.made.environment.packages) == installed
    assert ask(plain.made, "sys.path[-1]") == str(plain.made.folder / "beside")
    found = ask(plain.made, "__import__('importlib.util').util.find_spec('pytest').origin")
    assert found == str(plain.made.folder / "beside" / "pytest.py")


def test_a_version_that_the_properties_need_displaces_none(plain: Plain) -> None:
    found = ask(plain.made, "__import__('importlib.metadata').metadata.version('setuptools')")
    assert found == plain.made.environment.packages["setuptools"] == "99.0.0"
    assert (plain.made.folder / "beside" / "setuptools-3.20.3.dist-info").exists()


# What mends it.


def test_the_fewest_pins_that_mend_an_import_are_found(index: SmallIndex, tmp_path: Path) -> None:
    index.offer_paddle(NEEDS_TWO, requires=["numpy", "protobuf"])
    made = prepare(tmp_path)
    told = told_by(made)
    assert told.refused.endswith("TypeError: Descriptors cannot be created directly.")
    assert told.needs == told.pins == ["numpy<2", "protobuf<=3.20.3"]
    assert told.command == (
        'python -m pip install paddlepaddle-gpu==2.6.9 "numpy<2" "protobuf<=3.20.3"'
    )
    packages = made.environment.packages
    assert (packages["numpy"], packages["protobuf"]) == ("1.26.4", "3.20.3")


def test_a_package_that_is_lacking_is_a_pin_like_any(index: SmallIndex, tmp_path: Path) -> None:
    lacking = "if not is_at_least('setuptools', (0,)): raise ImportError('setuptools')\n"
    index.offer_paddle(lacking)
    assert told_by(prepare(tmp_path)).needs == ["setuptools<80"]


def test_a_release_that_nothing_mends_ends_as_not_run(
    index: SmallIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.offer_paddle(NEVER_IMPORTS, requires=["numpy==2.0.0"])
    for name, version in (("numpy", "2.0.0"), ("protobuf", "99.0.0"), ("setuptools", "99.0.0")):
        index.list(name, version)  # so that there is nothing to try
    made = prepare(tmp_path)
    for name, stand_in in (
        ("fresh.prepare", lambda *_: made),
        ("environment.held", nullcontext),
        ("environment.packages_of", lambda _: {}),
        ("RUNS", tmp_path / "runs"),
        ("PUBLISHED", tmp_path / "published"),
    ):
        monkeypatch.setattr(f"paddlecompat.cells.filling.{name}", stand_in)
    record = filling.fill(cell(), FIXTURE, Options(records=tmp_path / "records")).record
    assert record.not_run is not None
    assert record.not_run.reason == "import failed"
    assert "ImportError: libcudart.so.10.2: cannot open" in record.not_run.detail
    assert record.resolution is not None
    assert (record.resolution.needs, record.resolution.command) == (None, "")


def test_an_index_that_fails_meanwhile_blames_no_release(index: SmallIndex, tmp_path: Path) -> None:
    index.offer_paddle(NEVER_IMPORTS, requires=[])
    index.served.answer("numpy", "", 500)
    with pytest.raises(MachineFailed, match="500 Internal Server Error"):
        prepare(tmp_path)


def test_a_download_that_fails_meanwhile_blames_no_release(
    index: SmallIndex, tmp_path: Path
) -> None:
    index.offer_paddle(NEVER_IMPORTS, requires=[])
    index.served.handler.pages["numpy-1.26.4-py3-none-any.whl"] = (500, "text/html", b"")
    with pytest.raises(MachineFailed, match="500 Internal Server Error"):
        prepare(tmp_path)


# Numbers that do not come back.


def test_the_pin_with_which_numbers_come_back_is_found(index: SmallIndex, tmp_path: Path) -> None:
    index.offer_paddle(NEEDS_OLD_PROTOBUF + GARBAGE, requires=["numpy", "protobuf"])
    made = prepare(tmp_path)
    told = told_by(made)
    assert (told.needs, told.pins) == (["protobuf<=3.20.3"], ["protobuf<=3.20.3", "numpy<2"])
    assert made.environment.packages["numpy"] == "2.0.0"


def test_a_dtype_that_is_not_offered_is_not_lost(index: SmallIndex, tmp_path: Path) -> None:
    index.offer_paddle(NO_HALF)
    assert told_by(prepare(tmp_path)).pins == []


def test_numbers_that_no_pin_brings_back_have_no_command(index: SmallIndex, tmp_path: Path) -> None:
    index.offer_paddle(NEVER_RIGHT)
    for name in ("protobuf", "setuptools"):
        index.list(name, "99.0.0")
    told = told_by(prepare(tmp_path))
    assert (told.needs, told.pins, told.command) == ([], None, "")
