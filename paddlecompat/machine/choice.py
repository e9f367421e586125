"""Which build of a release is measured on which device, and why: pure functions.

NVIDIA's "CUDA Compatibility" says what a driver runs: native code runs on devices of its own major
capability, from its minor one on; PTX is compiled by the driver for any newer device. From CUDA 11
on, a driver serves every toolkit of its own major version, as long as nothing is compiled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from paddlecompat.fixtures.builds import TAG, Build, Index, System, sm
from paddlecompat.fixtures.forms import in_order
from paddlecompat.fixtures.releases import Fixture, Release
from paddlecompat.records.record import BuildFor, NoCode, NotRun, Reason

MINOR_VERSIONS_SINCE = 11  # the CUDA major from which drivers serve newer minor versions
UNSUPPORTED: Reason = "device not supported by the build"
EXAMPLE_CARDS = (("GeForce GTX 1650", "7.5"), ("GeForce RTX 3070", "8.6"), ("H100", "9.0"))
EXAMPLE_DRIVER = ("535.104.05", "12.2")


@dataclass(frozen=True)
class Machine:
    """What the choice depends on."""

    system: System
    capability: str
    driver: str
    driver_cuda: str
    """The newest CUDA version that the driver serves."""
    indexes: frozenset[Index] = frozenset({"pypi", "paddle"})
    served: frozenset[str] = frozenset()
    """The CUDA versions whose libraries are on the machine, or can be fetched."""
    lacking: frozenset[str] = frozenset()
    """The builds that an index was asked for, and has not."""


@dataclass(frozen=True)
class Choice:
    """A build, and why it is this one."""

    build: Build
    why: str


def choose(release: Release, machine: Machine) -> Choice | NotRun:
    """The build that is measured, or why there is none.

    Native code is preferred to PTX, then a build whose CUDA libraries can be had, then PyPI (whose
    wheels are locked) to Paddle's own index, then the newest CUDA.
    """
    here = sm(machine.capability)
    made = [build for build in release.gpu_builds if build.on(machine.system)]
    if not made:
        return no_build(f"no build of {release.version} for {machine.system} is known")
    runnable = [build for build in made if runs(build, machine)]
    if not runnable:
        near = nearest(made, machine)
        has = ", ".join(map(sm, near.native(machine.system))) or "none"
        words = f"no build of {release.version} has code for {here}"
        return NotRun(reason=UNSUPPORTED, detail=f"{words}; nearest: {near.version} ({has})")
    served = [build for build in runnable if driver_serves(build, machine)]
    if not served:
        least = min(runnable, key=cuda_of)
        detail = (
            f"driver {machine.driver} serves CUDA {machine.driver_cuda}; {least.version}, the "
            f"build of {release.version} that asks for least and has code for {here}, "
            f"needs CUDA {least.cuda}: install a newer driver"
        )
        return NotRun(reason="driver too old", detail=detail)
    reachable = [
        b for b in served if b.index in machine.indexes and b.version not in machine.lacking
    ]
    best = max(reachable or served, key=lambda build: rank(build, machine))
    if not reachable:
        return no_build(
            f"{here} needs {best.version} from Paddle's own index, which cannot be reached from "
            "here, or has it not: download its wheel elsewhere and name it with --wheel FILE, "
            f"or try nevertheless with --build {best.version}"
        )
    return Choice(best, reason_for(best, machine))


def no_build(detail: str) -> NotRun:
    return NotRun(reason="no build", detail=detail)


def missing_code(
    build: Build, release: Release, fixture: Fixture, machine: Machine
) -> NotRun | None:
    """What a build of the release comes to on a device that its wheel has no code for.

    None where the build has code, and where nobody read its wheel: it may have more than is listed.
    """
    code = build.on(machine.system)
    if code is None or code.source != "wheel" or code.runs_on(machine.capability):
        return None
    other, instead = nearest_fitting(release, fixture, machine)
    derived = NoCode(
        build=build.version,
        has=code.sm,
        capability=machine.capability,
        noticed=release.failed_launches,
        instead=instead.version if instead else None,
        install=other.install_command(instead, machine.system) if instead else "",
    )
    has, here = ", ".join(map(sm, code.sm)), sm(machine.capability)
    detail = f"the wheel of {build.version} has code for {has}, and none for {here}"
    return NotRun(reason=UNSUPPORTED, detail=detail, no_code=derived)


def nearest_fitting(
    release: Release, fixture: Fixture, machine: Machine
) -> tuple[Release, Build | None]:
    """The release's build for the machine, else the nearest release that has one, and that."""
    releases = (release, *fixture.nearest_first(release.version))
    choices = ((other, choose(other, machine)) for other in releases)
    fitting = ((other, found.build) for other, found in choices if isinstance(found, Choice))
    return next(fitting, (release, None))


def with_nearest(found: NotRun, release: Release, fixture: Fixture, machine: Machine) -> NotRun:
    """The same, and how to install the nearest release's build that has code for the device."""
    other, instead = nearest_fitting(release, fixture, machine)
    if instead is None:
        return found
    command = other.install_command(instead, machine.system)
    return found.model_copy(update={"detail": f"{found.detail}; take {instead.version}: {command}"})


def build_named(release: Release, version: str) -> Build:
    """The build that a person names, as '2.3.2.post112', whether it is listed or not.

    Raises ValueError where it is not of the release, or where several have that version.
    """
    known = [build.version for build in release.gpu_builds]
    if version not in known and not TAG.fullmatch(version.removeprefix(release.version)):
        raise ValueError(
            f"--build {version}: not a build of {release.version}; known: {', '.join(known)}"
        )
    return release.gpu_build(version)


def example_builds(release: Release, system: System, served: frozenset[str]) -> list[BuildFor]:
    """What would be measured with three cards that people have, and a driver of 2023."""
    examples = []
    for card, capability in EXAMPLE_CARDS:
        found = choose(release, Machine(system, capability, *EXAMPLE_DRIVER, served=served))
        build = found.build.version if isinstance(found, Choice) else None
        why = found.why if isinstance(found, Choice) else found.detail
        examples.append(BuildFor(card=f"{card} ({capability})", build=build, why=why))
    return examples


def native_code(build: Build, machine: Machine) -> str | None:
    """The newest of the build's native code that runs on the device, as '8.6'; None: none does."""
    code = build.on(machine.system)
    return code.native_for(machine.capability) if code else None


def runs(build: Build, machine: Machine) -> bool:
    """Whether the build's native code or PTX runs on the device, under a driver that serves it."""
    code = build.on(machine.system)
    return code is not None and code.runs_on(machine.capability)


def driver_serves(build: Build, machine: Machine) -> bool:
    """Whether the driver runs the build's CUDA version, in the way that its code has to run."""
    wanted, offered = cuda_of(build), in_order(machine.driver_cuda)
    same_major = offered[0] == wanted[0] >= MINOR_VERSIONS_SINCE
    return offered >= wanted or (same_major and native_code(build, machine) is not None)


def rank(build: Build, machine: Machine) -> tuple[bool, bool, bool, bool, list[int]]:
    """What `choose` compares: the greater, the better."""
    native, pypi, widespread, cuda = build.rank(machine.system, machine.capability)
    return native, build.cuda in machine.served, pypi, widespread, cuda


def reason_for(build: Build, machine: Machine) -> str:
    """In a line: CUDA, how its code runs here, where it is from."""
    here, code = sm(machine.capability), native_code(build, machine)
    if code is None:
        way = f"PTX that the driver compiles for {here}"
    else:
        borrowed = "" if code == machine.capability else f", which runs on {here}"
        way = f"code for {sm(code)}{borrowed}"
    index = "PyPI" if build.index == "pypi" else "Paddle's own index"
    missing = "" if build.cuda in machine.served else f"; CUDA {build.cuda} has to be installed"
    return f"CUDA {build.cuda}, {way}, from {index}{missing}"


def nearest(builds: Sequence[Build], machine: Machine) -> Build:
    """The build with native code nearest to the device's; of equally near ones the newest."""

    def distance(build: Build) -> float:
        native = build.native(machine.system)
        return min((abs(float(code) - float(machine.capability)) for code in native), default=99.0)

    return min(sorted(builds, key=cuda_of, reverse=True), key=distance)


def cuda_of(build: Build) -> list[int]:
    """The build's CUDA version, to be compared; [0] for one without."""
    return in_order(build.cuda or "0")
