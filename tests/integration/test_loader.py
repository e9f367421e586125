"""The loader gap is closed: on a small module of NumPy's, which patchelf makes lack things."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, cast

import numpy.random.bit_generator as small_module
import pytest
from elftools.elf.elffile import ELFFile

from paddlecompat.environments.installer import python_of
from paddlecompat.environments.loader import lacks, mend
from paddlecompat.environments.wheels import Fetch
from paddlecompat.fixtures.releases import Gap, MissingLibrary, Substitute
from paddlecompat.records.record import MachineFailed

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="asks the dynamic loader of glibc"
)
PYTHON = Path(sys.executable)
WHEEL = "bundle-1.0-py3-none-manylinux2014_x86_64.whl"


def patchelf(file: Path, *options: str, of: str = small_module.__file__) -> Path:
    """A copy of the small module (or of another file) at `file`, changed."""
    file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(of, file)
    tool = shutil.which("patchelf", path=f"{PYTHON.parent}{os.pathsep}{os.environ['PATH']}")
    subprocess.run([str(tool), *options, str(file)], check=True)
    return file


def imports(file: Path) -> list[tuple[str, str]]:
    """What a module must find: symbols, each with its version (empty: any version will do)."""
    with file.open("rb") as stream:
        elf = ELFFile(stream)
        names = (".dynsym", ".gnu.version", ".gnu.version_r")
        symbols, versions, needs = (cast("Any", elf.get_section_by_name(name)) for name in names)
        found = []
        for index, symbol in enumerate(symbols.iter_symbols()):
            if (symbol["st_info"]["bind"], symbol["st_shndx"]) == ("STB_GLOBAL", "SHN_UNDEF"):
                version = versions.get_symbol(index)["ndx"]
                known = isinstance(version, int) and needs.get_version(version)
                found.append((symbol.name, known[1].name if known else ""))
        return found


def versioned() -> list[tuple[str, str]]:
    """What the small module itself takes from the C library."""
    return [(name, version) for name, version in imports(Path(small_module.__file__)) if version]


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """Where the module of a build lies in an environment."""
    path = tmp_path / "environment/lib/python3.10/site-packages/paddle/fluid/core_avx.so"
    path.parent.mkdir(parents=True)
    (path.parents[1] / "libs").mkdir()
    python = python_of(path.parents[5])
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    return path


@pytest.fixture
def environment(module: Path) -> Path:
    return module.parents[5]


@pytest.fixture
def gone(module: Path, tmp_path: Path) -> Substitute:
    """The module imports a symbol that no C library has; another of its imports means the same."""
    (old, version), (other, _) = versioned()[:2]
    renames = tmp_path / "renames"
    renames.write_text(f"{old} _gone\n")
    patchelf(module, "--rename-dynamic-symbols", str(renames))
    return Substitute(asked=f"_gone@{version}", use_instead=other)


@pytest.fixture
def bundled(module: Path, tmp_path: Path) -> list[MissingLibrary]:
    """The module needs two libraries that no machine has; a wheel of auditwheel's carries both."""
    needed = ("--add-needed", "libabsent-c.so.9", "--add-needed", "libabsent-s.so.9")
    patchelf(module, *needed, "--set-rpath", "$ORIGIN/../libs/")
    hashed = {"c": "libabsent-c-0a1b2c3d.so.9", "s": "libabsent-s-4e5f6a7b.so.9"}
    with zipfile.ZipFile(tmp_path / WHEEL, "w") as wheel:
        for letter, name in hashed.items():
            other = ("--add-needed", hashed["c"]) if letter == "s" else ()
            file = patchelf(tmp_path / name, "--set-soname", name, *other)
            wheel.write(file, f"bundle.libs/{name}")
    sha256 = hashlib.sha256((tmp_path / WHEEL).read_bytes()).hexdigest()
    return [
        MissingLibrary(
            asked=f"libabsent-{letter}.so.9",
            wheel=WHEEL,
            sha256=sha256,
            file=f"bundle.libs/libabsent-{letter}-*.so.9",
        )
        for letter in "sc"
    ]


@pytest.fixture
def fetch(tmp_path: Path) -> Fetch:
    return lambda wheel, _folder: tmp_path / wheel


def fetch_nothing(wheel: str, _folder: Path) -> NoReturn:
    raise AssertionError(f"{wheel} was asked for")


def test_a_missing_symbol_becomes_the_public_one_of_any_version(
    environment: Path, module: Path, gone: Substitute
) -> None:
    before = imports(module)
    lines = mend(environment, [gone])
    assert lines == [f"paddle/fluid/core_avx.so: {gone.asked} -> {gone.use_instead}"]
    mended = {tuple(gone.asked.split("@")): (gone.use_instead, "")}
    assert imports(module) == [mended.get(symbol, symbol) for symbol in before]
    assert lacks(module, PYTHON) == set()


def test_mending_a_symbol_changes_at_most_six_bytes(
    environment: Path, module: Path, gone: Substitute
) -> None:
    before = module.read_bytes()
    mend(environment, [gone])
    after = module.read_bytes()
    assert len(after) == len(before)
    assert 0 < sum(a != b for a, b in zip(after, before, strict=True)) <= 6


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_a_file_that_a_cache_shares_keeps_its_bytes(
    link: Callable[[Path, Path], None],
    environment: Path,
    module: Path,
    gone: Substitute,
    tmp_path: Path,
) -> None:
    cached = tmp_path / "cached.so"
    module.rename(cached)
    link(cached, module)
    before = cached.read_bytes()
    assert mend(environment, [gone])
    assert cached.read_bytes() == before


def test_a_mended_environment_is_left_alone(
    environment: Path,
    module: Path,
    bundled: list[MissingLibrary],
    fetch: Fetch,
) -> None:
    assert mend(environment, bundled, fetch)
    before = {path: path.stat() for path in environment.rglob("*")}
    assert mend(environment, bundled, fetch_nothing) == []
    after = {path: path.stat() for path in environment.rglob("*")}
    assert {p: (s.st_ino, s.st_mtime_ns) for p, s in after.items()} == {
        p: (s.st_ino, s.st_mtime_ns) for p, s in before.items()
    }


def test_a_machine_that_has_everything_is_left_alone(environment: Path, module: Path) -> None:
    patchelf(module)
    before = module.stat()
    (name, version), (other, _) = versioned()[:2]
    there: list[Gap] = [
        Substitute(asked=f"{name}@{version}", use_instead=other),
        MissingLibrary(asked="libc.so.6", wheel=WHEEL, sha256="0" * 64, file="libc.so.6"),
    ]
    assert mend(environment, there, fetch_nothing) == []
    assert (module.stat().st_ino, module.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_system_other_than_linux_is_left_alone(
    environment: Path, module: Path, gone: Substitute
) -> None:
    before = module.read_bytes()
    assert mend(environment, [gone], platform="win32") == []
    assert module.read_bytes() == before


def test_a_missing_library_lands_where_the_build_looks(
    environment: Path,
    module: Path,
    bundled: list[MissingLibrary],
    fetch: Fetch,
) -> None:
    lines = mend(environment, bundled, fetch)
    assert lines == ["libabsent-s.so.9 from bundle 1.0", "libabsent-c.so.9 from bundle 1.0"]
    libs = module.parents[1] / "libs"
    assert sorted(p.name for p in libs.iterdir()) == ["libabsent-c.so.9", "libabsent-s.so.9"]
    assert lacks(module, PYTHON) == set()


def test_a_bundled_library_takes_its_fellow_from_the_machine(
    environment: Path,
    module: Path,
    bundled: list[MissingLibrary],
    fetch: Fetch,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fellow = "libabsent-c.so.9"
    patchelf(tmp_path / "machine" / fellow, "--set-soname", fellow)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path / "machine"))
    assert mend(environment, bundled, fetch) == ["libabsent-s.so.9 from bundle 1.0"]
    assert lacks(module, PYTHON) == set()


OWN = Substitute(asked="libabsent-python.so.9", use_instead="libc.so.6")


def test_a_library_inside_the_interpreter_is_asked_for_no_more(
    environment: Path, module: Path
) -> None:
    patchelf(module, "--add-needed", OWN.asked)
    lines = mend(environment, [OWN])
    assert lines == ["paddle/fluid/core_avx.so: libabsent-python.so.9 -> libc.so.6"]
    assert lacks(module, PYTHON) == set()


def test_a_library_that_the_interpreter_loads_is_not_missing(
    environment: Path, module: Path, tmp_path: Path
) -> None:
    patchelf(module, "--add-needed", OWN.asked)
    patchelf(tmp_path / OWN.asked, "--set-soname", OWN.asked)
    loads = ("--add-needed", OWN.asked, "--set-rpath", str(tmp_path))
    python_of(environment).unlink()
    patchelf(python_of(environment), *loads, of=sys.executable)
    assert mend(environment, [OWN]) == []


def test_a_wheel_that_is_not_the_locked_one_is_refused(
    environment: Path,
    module: Path,
    bundled: list[MissingLibrary],
    fetch: Fetch,
    tmp_path: Path,
) -> None:
    with (tmp_path / WHEEL).open("ab") as wheel:
        wheel.write(b"\0")
    found = hashlib.sha256((tmp_path / WHEEL).read_bytes()).hexdigest()
    with pytest.raises(MachineFailed, match=f"{WHEEL}.*{found}.*{bundled[0].sha256}"):
        mend(environment, bundled, fetch)
    assert not list((module.parents[1] / "libs").iterdir())


def test_a_wheel_without_the_library_is_refused(
    environment: Path,
    bundled: list[MissingLibrary],
    fetch: Fetch,
) -> None:
    elsewhere = bundled[0].model_copy(update={"file": "elsewhere/*"})
    with pytest.raises(MachineFailed, match=rf"{WHEEL}: elsewhere/\* is 0 files"):
        mend(environment, [elsewhere], fetch)


@contextmanager
def small_files_alone(size: int) -> Iterator[None]:
    """Writing more than `size` bytes into a file fails, as it does where the disk is full."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_an_interrupted_mend_leaves_the_old_file_and_no_other(
    environment: Path, module: Path, gone: Substitute
) -> None:
    before = module.read_bytes()
    with (
        small_files_alone(len(before) // 2),
        pytest.raises(MachineFailed, match=r"core_avx\.so: cannot be mended: .*File too large"),
    ):
        mend(environment, [gone])
    assert module.read_bytes() == before
    assert list(module.parent.iterdir()) == [module]


def test_a_module_without_the_public_name_is_refused(
    environment: Path, module: Path, gone: Substitute
) -> None:
    unnamed = gone.model_copy(update={"use_instead": "no_such_name"})
    before = module.read_bytes()
    with pytest.raises(
        MachineFailed, match=r"core_avx\.so: cannot be mended: it has no name no_such_name"
    ):
        mend(environment, [unnamed])
    assert module.read_bytes() == before


def test_a_gap_that_mending_does_not_close_is_an_error(
    environment: Path,
    module: Path,
    bundled: list[MissingLibrary],
    fetch: Fetch,
) -> None:
    patchelf(module, "--add-needed", "libabsent-c.so.9", "--remove-rpath")  # looks nowhere
    with pytest.raises(
        MachineFailed, match=r"core_avx\.so: the loader still lacks libabsent-c\.so"
    ):
        mend(environment, bundled, fetch)


def test_a_damaged_module_is_named(environment: Path, module: Path, gone: Substitute) -> None:
    module.write_bytes(module.read_bytes()[:1000])
    with pytest.raises(MachineFailed, match=r"core_avx\.so: the dynamic loader cannot read it: "):
        mend(environment, [gone])


def test_an_interpreter_that_is_a_script_is_named(environment: Path, gone: Substitute) -> None:
    script = python_of(environment)
    script.unlink()
    script.write_text('#!/bin/sh\nexec python3 "$@"\n')
    with pytest.raises(MachineFailed, match=f"{script}: not a Python program"):
        mend(environment, [gone])
