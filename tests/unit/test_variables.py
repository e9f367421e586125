"""What a cell's processes see of the shell, and what a result may depend on."""

from __future__ import annotations

import os

import pytest

from paddlecompat.machine.processes.variables import (
    left_out,
    measuring_environment,
    telling_variables,
)

MEANT = ("FLAGS_check_nan_inf", "GLOG_v", "PADDLE_HOME", "PYTHONPATH", "PYTEST_ADDOPTS")
OTHERS = ("KMP_AFFINITY", "HYPOTHESIS_PROFILE", "LD_PRELOAD", "MALLOC_ARENA_MAX", "CUDA_CACHE_PATH")


@pytest.mark.parametrize("name", [*MEANT, *OTHERS])
def test_what_the_shell_means_for_it_is_left_out_and_told(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "")
    known = name.upper() if os.name == "nt" else name  # as Windows has them
    assert known not in measuring_environment()
    assert known in left_out()


@pytest.mark.parametrize("name", ["SOMETHING", "COVERAGE_PROCESS_START", "HTTP_PROXY", "AWS_KEY"])
def test_what_is_not_known_is_left_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1")
    assert name not in measuring_environment()
    assert name not in left_out()


@pytest.mark.parametrize(
    "name", ["PATH", "HOME", "LC_ALL", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "SYSTEMROOT"]
)
def test_what_every_program_needs_is_kept(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "as it is")
    assert measuring_environment()[name] == "as it is"
    assert name not in left_out()


def test_how_openblas_fits_the_processor_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert measuring_environment()["OPENBLAS_CORETYPE"] == "Haswell"


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"])
def test_one_thread_is_the_rule(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "8")
    assert measuring_environment()[name] == "1"
    assert measuring_environment({name: "2"})[name] == "2"


def test_a_setting_counts_before_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    settings = {"CUDA_VISIBLE_DEVICES": "1", "FLAGS_one": "1"}
    assert settings.items() <= measuring_environment(settings).items()


def test_what_a_result_depends_on_is_told() -> None:
    given = {"FLAGS_one": "1", "OMP_NUM_THREADS": "1", "LD_LIBRARY_PATH": "/libs"}
    assert telling_variables({**given, "HOME": "/home/someone", "PATH": "/bin"}) == given


def test_no_device_is_named_by_its_own_number() -> None:
    given = {"CUDA_VISIBLE_DEVICES": "GPU-1a2b3c4d-0000,MIG-77aa"}
    assert telling_variables(given) == {"CUDA_VISIBLE_DEVICES": "GPU-…,MIG-…"}
