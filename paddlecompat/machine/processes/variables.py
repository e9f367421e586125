"""Environment variables: those that a child is given, and those that a result depends on."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

Settings = Mapping[str, str] | None
"""Environment variables over those that a child is given otherwise."""

KEPT = re.compile(  # what a cell's processes may see of the shell
    r"PATH|HOME|USERPROFILE|TMPDIR|TEMP|TMP|TZ|LANG|LANGUAGE|LC_.*|LD_LIBRARY_PATH|"
    r"CUDA_VISIBLE_DEVICES|CUDA_DEVICE_ORDER|NVIDIA_.*|OPENBLAS_(?!NUM_THREADS).*|"
    # what Windows' own libraries ask for
    r"SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT|APPDATA|LOCALAPPDATA|PROGRAMDATA"
)
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""The properties run side by side, each in a process."""

TELLING = re.compile(
    r"(FLAGS|GLOG|CUDA|NVIDIA|OMP|OPENBLAS|MKL|KMP|MALLOC)_.*|LD_LIBRARY_PATH|LD_PRELOAD"
)
MEANT = re.compile(  # for a Paddle or a test run of the shell's own
    r"(FLAGS|GLOG|PADDLE|PYTEST|CUDA|OMP|OPENBLAS|MKL|KMP|HYPOTHESIS|MALLOC)_.*|PYTHON.*|LD_PRELOAD"
)
DEVICE_ID = re.compile(r"(?<=GPU-|MIG-)[0-9a-fA-F-]+")


def plain_environment(settings: Settings = None) -> dict[str, str]:
    """This process's environment, without what would change a child's Python or pytest."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST_"))}
    return {**kept, **(settings or {})}


def measuring_environment(settings: Settings = None) -> dict[str, str]:
    """What runs inside a cell sees this, and nothing else of the shell: an allow-list."""
    kept = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}
    return {**kept, **ONE_THREAD, **(settings or {})}


def telling_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Those that a result may depend on, for the record. A device's own number is left out."""
    told = {name: value for name, value in environment.items() if TELLING.fullmatch(name)}
    return {name: DEVICE_ID.sub("…", told[name]) for name in sorted(told)}


def left_out() -> list[str]:
    """The shell's variables that look as if meant for the measurement, which does not see them."""
    given = measuring_environment()
    return sorted(k for k, v in os.environ.items() if MEANT.fullmatch(k) and given.get(k) != v)
