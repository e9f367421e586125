"""The loader gap: what old builds ask of the dynamic loader, and modern Linux no longer has.

The loader itself says what a module lacks (as `ldd -r` does), so a machine that has it is left
alone, and so is an environment that is mended already. Mending needs no compiler and no root, and
moves no byte in a file: what asks for a name is pointed at another name that the file has.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section
from elftools.elf.segments import InterpSegment

from paddlecompat.environments.wheels import PIP_DOWNLOAD
from paddlecompat.fixtures.releases import Gap, InterpreterLibrary, MissingLibrary, MissingSymbol
from paddlecompat.machine.processes import last_error

# Where installed packages lie in an environment, as a pattern.
SITE_PACKAGES = "Lib/site-packages" if os.name == "nt" else "lib/python3*/site-packages"
# Of the ELF standard, for 64 bits.
SYMBOL = struct.Struct("<IBBHQQ")  # name, info, other, section, value, size
DYNAMIC = struct.Struct("<QQ")  # tag, value
NEEDED = 1  # a tag: the value is a library's name
ANY_VERSION = 1
# What auditwheel makes of a library that it bundles: libssl.so.1.1 -> libssl-3e69114b.so.1.1
HASHED = re.compile(rb"(lib[\w.+-]+)-[0-9a-f]{8}(\.so[.\d]*)(?=\0)")


class LoaderError(RuntimeError):
    """The loader gap could not be closed: one line with the file, the problem and what to do."""


def mend(
    environment: Path,
    python: Path,
    gaps: Sequence[Gap],
    fetch: Callable[[MissingLibrary, Path], Path] | None = None,
) -> list[str]:
    """Close those of `gaps` that are open in `environment`; one line for each thing mended.

    `python` is the environment's interpreter; `fetch` puts a library's wheel in a folder, by
    default with `download`. A file is replaced as a whole: whoever shares it (uv's cache) or has
    it open keeps the old one.

    Raises LoaderError where a gap stays open; each file is then either the old or the mended one.
    """
    done: list[str] = []
    if not gaps or sys.platform != "linux":
        return done
    with tempfile.TemporaryDirectory() as folder:
        for module in sorted(environment.glob(f"{SITE_PACKAGES}/paddle/*/*.so")):
            # paddle/libs holds what the modules load; it is looked at through them.
            if module.parent.name == "libs":
                continue
            asked = lacks(module, python)
            for gap in gaps:
                if gap.asked not in asked:
                    continue
                if isinstance(gap, MissingLibrary):
                    done.append(place(module, gap, (fetch or download)(gap, Path(folder))))
                else:
                    done.append(redirect(module, gap))
            if done and (still := lacks(module, python) & {gap.asked for gap in gaps}):
                raise LoaderError(f"{module}: the loader still lacks {', '.join(sorted(still))}")
    return done


def lacks(module: Path, python: Path) -> set[str]:
    """What `python`'s dynamic loader does not find for `module`: 'lib.so.1', 'symbol@VERSION'.

    Raises LoaderError where the loader cannot read the module.
    """
    said = listing(module, python)
    symbols = re.findall(r"^undefined symbol: (\S+), version (\S+)", said, re.MULTILINE)
    libraries = re.findall(r"^\s*(\S+) => not found", said, re.MULTILINE)
    # What the interpreter has loaded for itself, its modules need not find.
    loaded = re.findall(r"^\s*(\S+) => /", listing(python, python), re.MULTILINE)
    return {*libraries, *(f"{symbol}@{version}" for symbol, version in symbols)} - {*loaded}


def listing(file: Path, python: Path) -> str:
    """What `python`'s dynamic loader says of `file` and of all that it loads."""
    asking = {"LD_TRACE_LOADED_OBJECTS": "1", "LD_WARN": "1", "LD_BIND_NOW": "1"}
    command = [dynamic_loader(python), str(file)]
    ended = subprocess.run(
        command, env=os.environ | asking, capture_output=True, text=True, errors="replace"
    )
    if ended.returncode:
        problem = last_error(ended.stderr or ended.stdout)
        raise LoaderError(f"{file}: the dynamic loader cannot read it: {problem}")
    return ended.stdout + ended.stderr


def dynamic_loader(python: Path) -> str:
    """The dynamic loader that starts `python`, and so the one that its modules meet."""
    try:
        with python.open("rb") as file:
            for segment in ELFFile(file).iter_segments():
                if isinstance(segment, InterpSegment):
                    return str(segment.get_interp_name())
    except (OSError, ELFError) as error:
        raise LoaderError(f"{python}: not a Python program: {error}") from None
    raise LoaderError(f"{python}: linked statically, it loads no modules; use another Python")


def redirect(module: Path, gap: MissingSymbol | InterpreterLibrary) -> str:
    """Let `module` ask for `use_instead` where it asked for the gap's symbol or library.

    A few bytes of a gigabyte. (patchelf would lay it out anew, with twice its size in memory.)
    """
    old = gap.asked.partition("@")[0].encode() + b"\0"
    with replacing(module) as copy:
        shutil.copy2(module, copy)
        with copy.open("r+b") as file:
            elf = ELFFile(file)
            parts = (".dynsym", ".gnu.version", ".dynamic", ".dynstr")
            symbols, versions, dynamic, strings = (section(elf, part) for part in parts)
            names = strings.data()
            if (new := names.find(f"{gap.use_instead}\0".encode())) < 0:
                raise LoaderError(f"{module}: it has no name {gap.use_instead} to ask for instead")
            for index, (name, *_) in enumerate(SYMBOL.iter_unpack(symbols.data())):
                if names.startswith(old, name):
                    write(file, symbols["sh_offset"] + SYMBOL.size * index, "<I", new)
                    write(file, versions["sh_offset"] + 2 * index, "<H", ANY_VERSION)
            for index, (tag, value) in enumerate(DYNAMIC.iter_unpack(dynamic.data())):
                if tag == NEEDED and names.startswith(old, value):
                    write(file, dynamic["sh_offset"] + DYNAMIC.size * index, "<QQ", NEEDED, new)
    return f"{module.relative_to(module.parents[2]).as_posix()}: {gap.asked} -> {gap.use_instead}"


def place(module: Path, gap: MissingLibrary, wheel: Path) -> str:
    """Put the library that `wheel` carries where `module` looks, without auditwheel's hashes.

    So libssl takes the libcrypto.so.1.1 that is there, be it the machine's, and no second one.
    """
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != gap.sha256:
        raise LoaderError(f"{wheel.name}: its sha256 is {found}, not {gap.sha256} as locked")
    target = module.parents[1] / "libs" / gap.library
    with zipfile.ZipFile(wheel) as archive, replacing(target) as copy:
        members = fnmatch.filter(archive.namelist(), gap.file)
        if len(members) != 1:
            raise LoaderError(f"{wheel.name}: {gap.file} is {len(members)} files in it, not one")
        copy.write_bytes(archive.read(members[0]))
        with copy.open("r+b") as file:
            names = section(ELFFile(file), ".dynstr")
            plain = HASHED.sub(lambda m: (m[1] + m[2]).ljust(len(m[0]), b"\0"), names.data())
            file.seek(names["sh_offset"])
            file.write(plain)
    return f"{gap.library} from {gap.source}"


def write(file: BinaryIO, offset: int, form: str, *values: int) -> None:
    """Overwrite what stands at `offset`."""
    file.seek(offset)
    file.write(struct.pack(form, *values))


def section(elf: ELFFile, name: str) -> Section:
    """The section of that name. Raises ELFError where there is none."""
    if (found := elf.get_section_by_name(name)) is None:
        raise ELFError(f"it has no {name}")
    return found


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """The path of a file that takes `target`'s place in one step, where the block ends well."""
    copy = target.with_name(f".{target.name}.mending")
    try:
        yield copy
        copy.replace(target)
    except (OSError, ELFError) as error:
        raise LoaderError(f"{target}: cannot be mended: {error}") from error
    finally:
        copy.unlink(missing_ok=True)


def download(gap: MissingLibrary, folder: Path) -> Path:
    """The wheel that carries a library, as `download_wheel` fetches it."""
    return download_wheel(gap.wheel, gap.library, folder)


def download_wheel(file_name: str, library: str, folder: Path) -> Path:
    """A wheel by its file name, fetched for `library` from the index that pip is set to.

    Raises LoaderError where pip cannot get it.
    """
    name, version, *_, python, _, platforms = file_name.removesuffix(".whl").split("-")
    command = [
        *(*PIP_DOWNLOAD, f"--dest={folder}"),
        f"--python-version={python.lstrip('cpy')}",
        *(f"--platform={platform}" for platform in platforms.split(".")),
        f"{name}=={version}",
    ]
    ended = subprocess.run(command, capture_output=True, text=True, errors="replace")
    wheel = folder / file_name
    if not wheel.is_file():
        problem = last_error(ended.stderr) if ended.returncode else "the index has other wheels"
        raise LoaderError(f"{file_name}: cannot be fetched for {library}: {problem}")
    return wheel
