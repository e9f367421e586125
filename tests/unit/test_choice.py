"""Which build is measured on which card, under which driver: real combinations, and the rules."""

from __future__ import annotations

from dataclasses import replace

import pytest

from paddlecompat.fixtures import releases
from paddlecompat.fixtures.builds import Build, GpuCode, System
from paddlecompat.fixtures.releases import Release
from paddlecompat.machine import choice
from paddlecompat.machine.choice import Choice, Machine
from paddlecompat.records.record import NotRun

WHOLE = releases.load()
FIXTURE = {release.version: release for release in WHOLE.release}
CARDS = {
    "GTX 970": "5.2",
    "Tesla P100": "6.0",
    "GTX 1050": "6.1",
    "GTX 1080 Ti": "6.1",
    "Tesla V100": "7.0",
    "GTX 1650": "7.5",
    "RTX 2080 Ti": "7.5",
    "T4": "7.5",
    "A100": "8.0",
    "RTX 3070": "8.6",
    "RTX 3090": "8.6",
    "RTX 4090": "8.9",
    "L40": "8.9",
    "H100": "9.0",
    "RTX 5090": "12.0",
}
DRIVERS = {  # NVIDIA's branches, and the newest CUDA version that each serves
    "440.33": "10.2",
    "450.80.02": "11.0",
    "460.32": "11.2",
    "470.57": "11.4",
    "510.47": "11.6",
    "515.43": "11.7",
    "525.60": "12.0",
    "535.104": "12.2",
    "550.54": "12.4",
    "560.35": "12.6",
    "570.86": "12.8",
    "580.65": "13.0",
}
FROM_PYPI = frozenset(  # their libraries
    {"11.0", "11.1", "11.2", "11.6", "11.7", "11.8", "12.0", "12.6", "12.9", "13.0"}
)
NO_CODE, TOO_OLD = "device not supported by the build", "driver too old"

COMBINATIONS = [
    # what users of 2.3 had
    ("2.3.0", "RTX 3090", "510.47", "windows", "2.3.0.post112"),
    ("2.3.0", "GTX 1650", "460.32", "windows", "2.3.0.post112"),
    ("2.3.1", "RTX 3070", "510.47", "windows", "2.3.1.post116"),
    ("2.3.2", "RTX 3090", "535.104", "windows", "2.3.2.post116"),
    ("2.3.2", "RTX 3090", "535.104", "linux", "2.3.2.post116"),
    ("2.3.2", "Tesla V100", "450.80.02", "linux", "2.3.2.post116"),
    ("2.3.2", "GTX 1650", "580.65", "linux", "2.3.2.post116"),
    ("2.3.2", "GTX 1050", "470.57", "windows", "2.3.2.post116"),
    ("2.3.2", "GTX 1080 Ti", "440.33", "linux", "2.3.2"),
    ("2.3.2", "GTX 970", "580.65", "windows", "2.3.2"),
    ("2.2.2", "A100", "450.80.02", "linux", "2.2.2.post112"),
    ("2.2.2", "RTX 2080 Ti", "440.33", "windows", "2.2.2"),
    # newer cards run what was made for the same major capability
    ("2.3.2", "RTX 4090", "535.104", "linux", "2.3.2.post116"),
    ("2.4.2", "L40", "550.54", "linux", "2.4.2.post117"),
    ("2.4.2", "RTX 3090", "510.47", "windows", "2.4.2.post116"),
    ("2.4.1", "T4", "515.43", "linux", "2.4.1.post117"),
    ("2.4.0", "GTX 970", "525.60", "linux", "2.4.0"),
    # from 2.5 on the build on PyPI has CUDA 11
    ("2.5.0", "T4", "470.57", "linux", "2.5.0"),
    ("2.5.2", "RTX 3090", "525.60", "linux", "2.5.2"),
    ("2.5.2", "RTX 3090", "525.60", "windows", "2.5.2"),
    ("2.5.2", "RTX 4090", "560.35", "linux", "2.5.2"),
    ("2.5.1", "GTX 1080 Ti", "535.104", "linux", "2.5.1.post102"),
    ("2.6.0", "GTX 1080 Ti", "535.104", "linux", "2.6.0"),
    ("2.6.1", "RTX 3090", "570.86", "windows", "2.6.1"),
    ("2.6.2", "GTX 1050", "580.65", "linux", "2.6.2"),
    ("2.6.2", "A100", "450.80.02", "linux", "2.6.2"),
    ("2.6.2", "Tesla V100", "535.104", "linux", "2.6.2"),
    ("2.6.2", "RTX 4090", "580.65", "windows", "2.6.2"),
    # WSL takes the wheels of Linux, under the driver of Windows
    ("2.3.2", "RTX 3070", "535.104", "wsl", "2.3.2.post116"),
    ("2.4.2", "RTX 4090", "560.35", "wsl", "2.4.2.post117"),
    ("2.5.2", "GTX 1650", "550.54", "wsl", "2.5.2"),
    # 3.x: several CUDA versions of one version, on Paddle's own index
    ("3.3.1", "RTX 4090", "580.65", "linux", "3.3.1+cu129"),
    ("3.3.1", "RTX 4090", "525.60", "windows", "3.3.1+cu129"),
    ("3.3.1", "RTX 3090", "470.57", "linux", "3.3.1+cu118"),
    ("3.0.0", "T4", "550.54", "linux", "3.0.0+cu126"),
    ("3.2.0", "Tesla V100", "535.104", "linux", "3.2.0+cu126"),
    ("3.3.0", "H100", "560.35", "linux", "3.3.0+cu129"),
    ("3.2.2", "RTX 5090", "570.86", "windows", "3.2.2+cu129"),
    ("3.1.1", "RTX 5090", "580.65", "linux", NO_CODE),
    ("3.3.1", "H100", "470.57", "linux", TOO_OLD),
    # where nothing fits
    ("2.3.2", "H100", "535.104", "linux", NO_CODE),
    ("2.5.2", "H100", "550.54", "linux", NO_CODE),
    ("2.6.2", "RTX 5090", "570.86", "linux", NO_CODE),
    ("2.6.2", "RTX 5090", "580.65", "windows", NO_CODE),
    ("2.6.2", "GTX 970", "535.104", "linux", NO_CODE),
    ("2.3.2", "RTX 3090", "440.33", "linux", TOO_OLD),
    ("2.5.2", "T4", "440.33", "windows", "2.5.2.post102"),
    ("2.6.2", "GTX 1050", "440.33", "linux", TOO_OLD),
]


def machine(card: str, driver: str, host: str = "linux") -> Machine:
    system: System = "windows" if host == "windows" else "linux"
    return Machine(system, CARDS[card], driver, DRIVERS[driver], served=FROM_PYPI)


def ends_as(found: Choice | NotRun) -> str:
    return found.build.version if isinstance(found, Choice) else found.reason


@pytest.mark.parametrize(("release", "card", "driver", "host", "due"), COMBINATIONS)
def test_each_card_gets_the_build_that_runs_on_it(
    release: str, card: str, driver: str, host: str, due: str
) -> None:
    assert ends_as(choice.choose(FIXTURE[release], machine(card, driver, host))) == due


def test_a_card_that_runs_an_older_ones_code_is_told_which() -> None:
    found = choice.choose(FIXTURE["2.6.2"], machine("RTX 4090", "535.104"))
    assert isinstance(found, Choice)
    assert found.why == "CUDA 11.8, code for sm_86, which runs on sm_89, from PyPI"


def test_where_no_build_has_the_cards_code_the_nearest_is_named() -> None:
    found = choice.choose(FIXTURE["2.3.2"], machine("H100", "535.104"))
    assert isinstance(found, NotRun)
    assert found.detail.startswith("no build of 2.3.2 has code for sm_90; nearest: 2.3.2.post116 (")


def test_a_driver_that_is_too_old_is_told_what_would_do() -> None:
    found = choice.choose(FIXTURE["2.6.2"], machine("GTX 1050", "440.33"))
    assert isinstance(found, NotRun)
    assert "driver 440.33 serves CUDA 10.2; 2.6.2" in found.detail
    assert "needs CUDA 11" in found.detail


def made(version: str, cuda: str, sm: list[str], ptx: list[str] | None = None) -> Build:
    code = GpuCode(sm=sm, ptx=ptx or [], source="wheel")
    index = "paddle" if ".post" in version else "pypi"
    return Build.model_validate(
        {
            "distribution": "paddlepaddle-gpu",
            "version": version,
            "index": index,
            "cuda": cuda,
            "linux": code,
        }
    )


OLD, NEW = made("2.9.9", "10.2", ["7.5"], ["7.5"]), made("2.9.9.post112", "11.2", ["8.6"])
HERE = machine("RTX 3090", "535.104")


def chosen(*builds: Build, here: Machine = HERE) -> Choice | NotRun:
    return choice.choose(Release(version="2.9.9", builds=list(builds)), here)


def test_native_code_is_preferred_to_ptx() -> None:
    assert ends_as(chosen(OLD, NEW)) == "2.9.9.post112"


def test_ptx_serves_where_there_is_no_native_code() -> None:
    found = chosen(OLD)
    assert isinstance(found, Choice)
    assert "PTX that the driver compiles for sm_86" in found.why


def test_ptx_needs_a_driver_of_the_builds_own_cuda() -> None:
    compiled = made("2.9.9", "11.8", ["8.0"], ["8.0"])
    here = replace(HERE, capability="9.0", driver="510.47", driver_cuda="11.6")
    assert ends_as(chosen(compiled, here=here)) == TOO_OLD


def test_native_code_of_cuda_11_needs_a_driver_of_any_cuda_11() -> None:
    here = replace(HERE, driver="450.80.02", driver_cuda="11.0")
    assert ends_as(chosen(made("2.9.9", "11.8", ["8.6"]), here=here)) == "2.9.9"


def test_a_build_whose_libraries_can_be_had_is_preferred() -> None:
    on_pypi, elsewhere = made("2.9.9", "10.2", ["8.6"]), made("2.9.9.post112", "11.2", ["8.6"])
    assert ends_as(chosen(on_pypi, elsewhere)) == "2.9.9.post112"


def test_libraries_that_have_to_be_installed_are_named() -> None:
    found = chosen(made("2.9.9", "10.2", ["8.6"]))
    assert isinstance(found, Choice)
    assert found.why.endswith("CUDA 10.2 has to be installed")


def test_pypi_is_preferred_to_paddles_index() -> None:
    on_pypi, elsewhere = made("2.9.9", "11.2", ["8.6"]), made("2.9.9.post116", "11.6", ["8.6"])
    assert ends_as(chosen(on_pypi, elsewhere)) == "2.9.9"


def test_a_build_out_of_reach_is_named_with_the_way_around() -> None:
    found = chosen(NEW, here=replace(HERE, indexes=frozenset({"pypi"})))
    assert isinstance(found, NotRun)
    assert "2.9.9.post112" in found.detail
    assert "--wheel" in found.detail


def test_a_release_without_a_build_for_the_system_says_so() -> None:
    found = chosen(NEW, here=replace(HERE, system="windows"))
    assert isinstance(found, NotRun)
    assert found.detail == "no build of 2.9.9 for windows is known"


def missing(release: str, build: str, here: Machine) -> NotRun | None:
    return choice.missing_code(FIXTURE[release].gpu_build(build), FIXTURE[release], WHOLE, here)


WITHOUT_CODE = [
    ("2.3.2", "RTX 3090", "535.104", "linux", "2.3.2.post116"),
    ("2.3.2", "RTX 3090", "535.104", "windows", "2.3.2.post116"),
    ("2.4.2", "A100", "535.104", "linux", "2.4.2.post117"),
    ("2.3.2", "H100", "535.104", "linux", "2.6.2.post120"),
    ("2.5.2", "H100", "535.104", "linux", "2.6.2.post120"),
    ("2.5.2", "GTX 1080 Ti", "535.104", "linux", "2.5.2.post102"),
    ("2.6.2", "RTX 5090", "580.65", "linux", "3.2.2+cu129"),
]


@pytest.mark.parametrize(("release", "card", "driver", "host", "instead"), WITHOUT_CODE)
def test_a_wheel_without_the_cards_code_names_another(
    release: str, card: str, driver: str, host: str, instead: str | None
) -> None:
    found = missing(release, release, machine(card, driver, host))
    assert found is not None
    assert found.reason == NO_CODE
    assert found.no_code is not None
    assert (found.no_code.build, found.no_code.instead) == (release, instead)


@pytest.mark.parametrize(
    ("release", "card"),
    [("2.3.2", "T4"), ("2.5.2", "RTX 3090"), ("2.6.2", "RTX 4090"), ("2.3.2", "GTX 1050")],
)
def test_nothing_is_derived_from_a_wheel_with_code(release: str, card: str) -> None:
    assert missing(release, release, machine(card, "535.104")) is None


def test_nothing_is_derived_from_a_wheel_that_nobody_read() -> None:
    assert missing("2.3.2", "2.3.2.post116", machine("H100", "535.104")) is None
    assert missing("2.3.2", "2.3.2.post999", machine("H100", "535.104")) is None


def test_the_command_has_what_the_release_can_live_with() -> None:
    found = missing("2.3.2", "2.3.2", machine("RTX 3090", "535.104"))
    assert found is not None
    assert found.no_code is not None
    assert found.no_code.install == (
        'python -m pip install paddlepaddle-gpu==2.3.2.post116 "numpy<1.24" "protobuf<=3.20.3" '
        '"setuptools<80" --find-links=https://www.paddlepaddle.org.cn/whl/linux/mkl/avx/stable.html'
        " --extra-index-url=https://www.paddlepaddle.org.cn/packages/stable/cu116/"
    )


def test_where_paddles_index_is_out_of_reach_pypi_serves() -> None:
    here = replace(machine("RTX 3090", "535.104"), indexes=frozenset({"pypi"}))
    found = missing("2.3.2", "2.3.2", here)
    assert found is not None
    assert found.no_code is not None
    assert found.no_code.install == (
        'python -m pip install paddlepaddle-gpu==2.5.2 "numpy<2" "setuptools<80"'
    )


@pytest.mark.parametrize(
    ("release", "noticed"), [("2.3.2", False), ("2.4.2", False), ("2.4.1", False), ("2.5.2", None)]
)
def test_that_a_launch_failed_is_noticed_as_measured(release: str, noticed: bool | None) -> None:
    found = missing(release, release, machine("H100", "535.104"))
    assert found is not None
    assert found.no_code is not None
    assert (found.no_code.noticed, found.no_code.severity) == (noticed, "silent")


def test_a_build_can_be_named_whatever_the_card() -> None:
    release = Release(version="2.9.9", builds=[OLD, NEW])
    assert choice.build_named(release, "2.9.9.post112") == NEW


def test_a_build_that_is_not_listed_is_on_paddles_own_index() -> None:
    found = choice.build_named(Release(version="2.9.9", builds=[OLD]), "2.9.9.post117")
    assert (found.version, found.index, found.cuda) == ("2.9.9.post117", "paddle", "11.7")


def test_a_named_build_of_another_release_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"--build 2\.3\.2: not a build of 2\.9\.9; known: 2\.9\.9"
    ):
        choice.build_named(Release(version="2.9.9", builds=[OLD]), "2.3.2")


def test_three_example_cards_are_told_what_they_would_be_given() -> None:
    told = choice.example_builds(FIXTURE["2.3.2"], "linux", FROM_PYPI)
    assert [(example.card, example.build) for example in told] == [
        ("GeForce GTX 1650 (7.5)", "2.3.2.post116"),
        ("GeForce RTX 3070 (8.6)", "2.3.2.post116"),
        ("H100 (9.0)", None),
    ]
