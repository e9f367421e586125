"""compute-sanitizer around the properties: the command, and what is read out of its logs."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from paddlecompat.machine.processes import sanitizer
from paddlecompat.records.subject import Finding

LOG = """========= COMPUTE-SANITIZER
========= Invalid __global__ read of size 16 bytes
=========     at 0x1b0 in void phi::funcs::SelectKernel<float>(const float *, long)
=========     by thread (0,0,0) in block (0,0,0)
=========     Address 0x7f5a2c000204 is misaligned
=========
========= Invalid __global__ read of size 16 bytes
=========     at 0x2c0 in void phi::funcs::SelectKernel<float>(const float *, long)
=========     by thread (1,0,0) in block (0,0,0)
=========
========= Program hit cudaErrorMisalignedAddress (error 716) due to "misaligned address"
=========     Saved host backtrace up to driver entry point at error
=========
========= ERROR SUMMARY: 3 errors
"""


def test_the_same_fault_is_counted_once_with_how_often_it_came() -> None:
    found = list(sanitizer.findings(LOG))
    kernel = "void phi::funcs::SelectKernel<float>(const float *, long)"
    assert found[:2] == [f"Invalid __global__ read of size 16 bytes, in {kernel}"] * 2
    assert found[2].startswith("Program hit cudaErrorMisalignedAddress")
    assert len(found) == 3


def test_a_clean_log_has_no_findings() -> None:
    clean = "========= COMPUTE-SANITIZER\n========= ERROR SUMMARY: 0 errors\n"
    assert list(sanitizer.findings(clean)) == []


NEEDS_POSIX = pytest.mark.skipif(os.name == "nt", reason="the made-up program is a script")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compute-sanitizer that tells its version."""
    path = tmp_path / sanitizer.PROGRAM
    path.write_text("#!/bin/sh\necho NVIDIA COMPUTE-SANITIZER; echo Version 2024.1.0\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return path


@NEEDS_POSIX
def test_every_process_is_watched_and_leaves_a_log(program: Path, tmp_path: Path) -> None:
    command = sanitizer.installed("memcheck").command(tmp_path)
    assert command[0] == str(program)
    assert {"--tool=memcheck", "--target-processes=all"} <= set(command)


@NEEDS_POSIX
def test_the_logs_of_all_processes_are_put_together(program: Path, tmp_path: Path) -> None:
    for process in (1, 2):
        (tmp_path / f"sanitizer.{process}.log").write_text(LOG, encoding="utf-8")
    found = sanitizer.installed("initcheck").found(tmp_path)
    assert (found.tool, found.version) == ("initcheck", "2024.1.0")
    assert [finding.times for finding in found.findings] == [4, 2]
    assert isinstance(found.findings[0], Finding)


def test_a_missing_sanitizer_is_named_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match=r"compute-sanitizer is not on the PATH; .*CUDA Toolkit"):
        sanitizer.installed("memcheck")
