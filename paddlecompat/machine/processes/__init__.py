"""Child processes: the one place that starts them, what they are given, and how they ended."""

from paddlecompat.machine.processes.children import Child, interruptible, start
from paddlecompat.machine.processes.endings import Ended, cause_in
from paddlecompat.machine.processes.running import (
    Command,
    run_checked,
    run_logged,
    run_program,
    run_shown,
)
from paddlecompat.machine.processes.variables import (
    Settings,
    left_out,
    measuring_environment,
    plain_environment,
    telling_variables,
)

__all__ = [
    "Child",
    "Command",
    "Ended",
    "Settings",
    "cause_in",
    "interruptible",
    "left_out",
    "measuring_environment",
    "plain_environment",
    "run_checked",
    "run_logged",
    "run_program",
    "run_shown",
    "start",
    "telling_variables",
]
