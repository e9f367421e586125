"""`fixtures/releases.toml`: which releases exist, as which builds, and what old ones lack today."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from paddlecompat.records import Model, Place, Sha256, Version, in_order, read_toml

ROOT = Path(__file__).resolve().parent.parent
RELEASES = ROOT / "fixtures" / "releases.toml"
REQUIREMENTS = ROOT / "fixtures" / "requirements"

Index = Literal["pypi", "paddle"]
Capability = Annotated[str, Field(pattern=r"^\d+\.\d$")]
System = Literal["linux", "windows"]
SYSTEMS: tuple[System, ...] = ("linux", "windows")


class MissingSymbol(Model):
    """A private libc symbol that old builds import and modern libcs no longer export."""

    symbol: str
    symbol_version: str = Field(description="For example 'GLIBC_PRIVATE'.")
    use_instead: str = Field(description="The public symbol with the same meaning.")

    @property
    def asked(self) -> str:
        """What the build asks the dynamic loader for."""
        return f"{self.symbol}@{self.symbol_version}"


class MissingLibrary(Model):
    """A shared library that old builds load and modern systems no longer ship."""

    library: str = Field(description="The name the build asks for, as 'libssl.so.1.1'.")
    wheel: str = Field(description="A wheel on the public index that carries it: its file name.")
    sha256: Sha256 = Field(description="The wheel's.")
    file: str = Field(description="Where in that wheel it lies (a glob; names may carry a hash).")

    @property
    def asked(self) -> str:
        """What the build asks the dynamic loader for."""
        return self.library

    @property
    def source(self) -> str:
        """The distribution that carries it, with its version."""
        name, version = self.wheel.split("-")[:2]
        return f"{name.replace('_', '-')} {version}"


class InterpreterLibrary(Model):
    """Python as a shared library: builds may ask for it, many interpreters contain it."""

    library: str = Field(description="The name the build asks for, as 'libpython3.10.so.1.0'.")
    use_instead: str = Field(description="A library that the build asks for as well.")

    @property
    def asked(self) -> str:
        """What the build asks the dynamic loader for."""
        return self.library


Gap = MissingSymbol | MissingLibrary | InterpreterLibrary


class GpuCode(Model):
    """The GPU code in a build's wheel for one operating system."""

    sm: list[Capability] = Field(description="Native code, as ['7.5', '8.6'].")
    ptx: list[Capability] = Field(default=[], description="Code that a driver compiles for newer.")
    cudnn: str | None = Field(default=None, description="Where it is another than the build's.")
    source: Annotated[str, Field(pattern=r"^(wheel|https://.+)$")] = Field(
        description="'wheel' where it was read from it, else the page's address."
    )


class Build(Model):
    """One wheel of a release, for each platform that it was made for."""

    distribution: Literal["paddlepaddle", "paddlepaddle-gpu"]
    version: str = Field(description="With its tag where it has one, as '2.3.2.post112'.")
    index: Index = Field(default="pypi", description="'paddle': its own.")
    cuda: str | None = None
    cudnn: str | None = None
    linux: GpuCode | None = Field(default=None, description="None: no wheel for it.")
    windows: GpuCode | None = Field(default=None, description="None: no wheel for it.")

    def on(self, system: System) -> GpuCode | None:
        """The GPU code in the wheel for that operating system; None: no wheel, or not known."""
        return self.linux if system == "linux" else self.windows

    def native(self, system: System) -> list[str]:
        """The capabilities that the wheel for that operating system has native code for."""
        code = self.on(system)
        return code.sm if code else []

    @property
    def lock(self) -> Path:
        """The locked requirements of the environment, this build's own hashes among them."""
        return REQUIREMENTS / f"{self.distribution}-{self.version}.txt"


class Release(Model):
    """One block of `fixtures/releases.toml`."""

    version: Version
    python: Annotated[str, Field(pattern=r"^3\.\d+$")] = "3.10"
    places: list[Place] = ["cpu", "gpu"]
    builds: list[Build]
    requires: list[str] = Field(default=[], description="What it can live with: 'numpy<1.24'.")
    gaps: list[str] = Field(default=[], description="Names of the tables at the file's end.")

    @property
    def series(self) -> str:
        return self.version.rpartition(".")[0]

    @property
    def gpu_builds(self) -> list[Build]:
        return [build for build in self.builds if build.distribution == "paddlepaddle-gpu"]

    def gpu_build(self, version: str) -> Build:
        """The GPU build of that version; one that is not listed is on Paddle's own index.

        The tag of such a build tells its CUDA version: `post112` is for 11.2.
        """
        listed = next((build for build in self.gpu_builds if build.version == version), None)
        tag = re.search(r"\.post(\d\d)(\d)$", version)
        cuda = f"{tag[1]}.{tag[2]}" if tag else None
        return listed or Build(
            distribution="paddlepaddle-gpu", version=version, index="paddle", cuda=cuda
        )


class Fixture(Model):
    """All of `fixtures/releases.toml`."""

    release: list[Release]
    symbol: dict[str, MissingSymbol] = {}
    library: dict[str, MissingLibrary] = {}
    interpreter: dict[str, InterpreterLibrary] = {}

    @model_validator(mode="after")
    def gaps_are_known(self) -> Fixture:
        known = self.known_gaps.keys()
        for release in self.release:
            if unknown := set(release.gaps) - known:
                raise ValueError(f"release {release.version} names unknown gaps {sorted(unknown)}")
        return self

    @property
    def known_gaps(self) -> dict[str, Gap]:
        return {**self.symbol, **self.library, **self.interpreter}

    def gaps_of(self, release: Release) -> list[Gap]:
        """What `release` needs and a machine may lack."""
        return [self.known_gaps[name] for name in release.gaps]


@dataclass(frozen=True)
class Cell:
    """One release at one place."""

    release: Release
    place: Place

    @property
    def name(self) -> str:
        return f"{self.place}-{self.release.version}"


def load(path: Path = RELEASES) -> Fixture:
    """The fixture.

    Raises ValueError with one line that names the file, the field and the problem.
    """
    return read_toml(Fixture, path)


def named(fixture: Fixture, versions: Sequence[str]) -> list[Release]:
    """The releases of those versions, or all where there are none.

    Raises ValueError where the fixture lacks one.
    """
    if unknown := set(versions) - {release.version for release in fixture.release}:
        raise ValueError(f"fixtures/releases.toml has no release {sorted(unknown)}")
    return [r for r in fixture.release if not versions or r.version in versions]


def cells(fixture: Fixture) -> list[Cell]:
    """Every cell, in the order of the file, the CPU's first."""
    places: tuple[Place, ...] = ("cpu", "gpu")
    return [Cell(r, place) for place in places for r in fixture.release if place in r.places]


def cell_named(name: str, fixture: Fixture) -> Cell:
    """Raises ValueError where the fixture has no such cell."""
    found = next((cell for cell in cells(fixture) if cell.name == name), None)
    if found is None:
        raise ValueError(f"{RELEASES} has no cell {name!r}; `nox -l` lists them")
    return found


def newest(fixture: Fixture) -> Release:
    """The release that a newcomer is shown first."""
    return max(fixture.release, key=lambda r: in_order(r.version))
