"""The loader gap: what old builds ask of the dynamic loader, and modern Linux no longer has.

The loader itself says what a module lacks (as `ldd -r` does), so a machine that has it is left
alone, and so is an environment that is mended already. Mending moves no byte in a file: what asks
for a name is pointed at another name that the file has. (patchelf would lay a file out anew.)
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import Section

from paddlecompat.environments import wheels
from paddlecompat.environments.installer import install_failed, python_of
from paddlecompat.environments.wheels import Fetch
from paddlecompat.fixtures.releases import Gap, MissingLibrary, Substitute
from paddlecompat.machine.processes import run_checked

# Where installed packages lie in an environment, as a pattern.
SITE_PACKAGES = "Lib/site-packages" if os.name == "nt" else "lib/python3*/site-packages"
# Of the ELF standard, for 64 bits.
SYMBOL = struct.Struct("<IBBHQQ")  # name, info, other, section, value, size
DYNAMIC = struct.Struct("<QQ")  # tag, value
NEEDED = 1  # a tag: the value is a library's name
ANY_VERSION = 1
# What auditwheel makes of a library that it bundles: libssl.so.1.1 -> libssl-3e69114b.so.1.1
HASHED = re.compile(rb"(lib[\w.+-]+)-[0-9a-f]{8}(\.so[.\d]*)(?=\0)")


def mend(
    environment: Path,
    gaps: Sequence[Gap],
    fetch: Fetch = wheels.download_pinned,
    platform: str = sys.platform,
) -> list[str]:
    """Close those of `gaps` that are open in `environment`; one line for each thing mended.

    A file is replaced as a whole: whoever shares it (uv's cache) or has it open keeps the old one.
    Raises MachineFailed where a gap stays open.
    """
    if not gaps or platform != "linux":
        return []
    done: list[str] = []
    python = python_of(environment)
    for module in sorted(environment.glob(f"{SITE_PACKAGES}/paddle/*/*.so")):
        if module.parent.name == "libs":  # what the modules load is looked at through them
            continue
        lacked = lacks(module, python)
        for gap in gaps:
            if gap.asked not in lacked:
                continue
            try:
                if isinstance(gap, MissingLibrary):
                    done.append(place(gap, module.parents[1] / "libs", fetch))
                elif isinstance(gap, Substitute):
                    done.append(redirect(module, gap))
            except (OSError, ELFError) as error:
                raise install_failed(f"{module}: cannot be mended: {error}") from error
        if done and (still := lacks(module, python) & {gap.asked for gap in gaps}):
            raise install_failed(f"{module}: the loader still lacks {', '.join(sorted(still))}")
    return done


def lacks(module: Path, python: Path) -> set[str]:
    """What `python`'s dynamic loader does not find for `module`: 'lib.so.1', 'symbol@VERSION'."""
    said = listing(module, python)
    symbols = re.findall(r"^undefined symbol: (\S+), version (\S+)", said, re.MULTILINE)
    libraries = set(re.findall(r"^\s*(\S+) => not found", said, re.MULTILINE))
    # What the interpreter has loaded for itself, its modules need not find.
    libraries -= set(re.findall(r"^\s*(\S+) => /", listing(python, python), re.MULTILINE))
    return libraries | {"@".join(symbol) for symbol in symbols}


def listing(file: Path, python: Path) -> str:
    """What the loader says of a file and of what it loads. MachineFailed where it is damaged."""
    asking = {"LD_TRACE_LOADED_OBJECTS": "1", "LD_WARN": "1", "LD_BIND_NOW": "1"}
    ended = run_checked([dynamic_loader(python), file], asking)
    if ended.problem:
        raise install_failed(f"{file}: the dynamic loader cannot read it: {ended.last_error}")
    return ended.output + ended.complaint


def dynamic_loader(python: Path) -> str:
    """The dynamic loader that starts `python`, and so the one that its modules meet."""
    try:
        with python.open("rb") as file:
            for segment in ELFFile(file).iter_segments("PT_INTERP"):
                return segment.data().rstrip(b"\0").decode()
    except (OSError, ELFError) as error:
        raise install_failed(f"{python}: not a Python program: {error}") from None
    raise install_failed(f"{python}: linked statically, it loads no modules; use another Python")


def redirect(module: Path, gap: Substitute) -> str:
    """Let `module` ask for `use_instead` where it asked for the gap's symbol or library."""
    old = gap.asked.partition("@")[0].encode() + b"\0"
    with tempfile.TemporaryDirectory(dir=module.parent) as folder:
        copy = Path(shutil.copy2(module, folder))
        with copy.open("r+b") as file:
            elf = ELFFile(file)
            parts = (".dynsym", ".gnu.version", ".dynamic", ".dynstr")
            symbols, versions, dynamic, strings = (section(elf, part) for part in parts)
            names = strings.data()
            if (new := names.find(f"{gap.use_instead}\0".encode())) < 0:
                raise ELFError(f"it has no name {gap.use_instead} to ask for instead")
            for index, (name, *_) in enumerate(SYMBOL.iter_unpack(symbols.data())):
                if names.startswith(old, name):
                    write(file, symbols["sh_offset"] + SYMBOL.size * index, "<I", new)
                    write(file, versions["sh_offset"] + 2 * index, "<H", ANY_VERSION)
            for index, (tag, value) in enumerate(DYNAMIC.iter_unpack(dynamic.data())):
                if tag == NEEDED and names.startswith(old, value):
                    write(file, dynamic["sh_offset"] + DYNAMIC.size * index, "<QQ", NEEDED, new)
        copy.replace(module)
    return f"{module.relative_to(module.parents[2]).as_posix()}: {gap.asked} -> {gap.use_instead}"


def place(gap: MissingLibrary, libs: Path, fetch: Fetch) -> str:
    """Put the library where the build's modules look, without auditwheel's hashes in its names.

    So libssl takes the libcrypto.so.1.1 that is there, be it the machine's, and no second one.
    """
    with tempfile.TemporaryDirectory(dir=libs) as folder:
        source = wheels.take(gap.wheel, gap.sha256, {gap.asked: gap.file}, Path(folder), fetch)
        library = Path(folder, gap.asked)
        with library.open("r+b") as file:
            names = section(ELFFile(file), ".dynstr")
            plain = HASHED.sub(lambda m: (m[1] + m[2]).ljust(len(m[0]), b"\0"), names.data())
            write(file, names["sh_offset"], f"{len(plain)}s", plain)
        library.replace(libs / gap.asked)
    return f"{gap.asked} from {source}"


def write(file: BinaryIO, offset: int, form: str, *values: int | bytes) -> None:
    """Overwrite what stands at `offset`."""
    file.seek(offset)
    file.write(struct.pack(form, *values))


def section(elf: ELFFile, name: str) -> Section:
    """The section of that name. Raises ELFError where there is none."""
    if (found := elf.get_section_by_name(name)) is None:
        raise ELFError(f"it has no {name}")
    return found
