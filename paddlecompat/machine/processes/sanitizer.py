"""NVIDIA's compute-sanitizer around a cell's properties, and what it found.

Its log is text: each finding is a block of lines that begin with `=========`, the first of which
says what, the second where. (https://docs.nvidia.com/compute-sanitizer)
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from paddlecompat.machine.processes import run_checked
from paddlecompat.records.subject import Finding, Sanitizer, SanitizerTool

PROGRAM = "compute-sanitizer"
SLOWER = 20  # times: what the properties' time limits are multiplied by
BORDER = "========="
TOLD_OTHERWISE = re.compile(
    r"COMPUTE-SANITIZER|ERROR SUMMARY|LEAK SUMMARY|Target application|No attachable|Internal"
)
ADDRESS = re.compile(r"^at 0x[0-9a-fA-F]+ (?=in )|\b0x[0-9a-fA-F]+\b")


@dataclass(frozen=True)
class Watch:
    """compute-sanitizer as it is installed here, with the tool that was asked for."""

    program: str
    tool: SanitizerTool
    version: str

    def command(self, folder: Path) -> list[str]:
        """What stands before the command that is watched; each process has a log in `folder`."""
        log = str(folder / "sanitizer.%p.log")
        asked = [f"--tool={self.tool}", "--target-processes=all", f"--log-file={log}"]
        return [self.program, *asked, "--print-limit=1000"]

    def found(self, folder: Path) -> Sanitizer:
        """What the logs in `folder` tell."""
        logs = sorted(folder.glob("sanitizer.*.log"))
        texts = (log.read_text(encoding="utf-8", errors="replace") for log in logs)
        count = Counter(finding for text in texts for finding in findings(text))
        ranked = [Finding(text=text, times=times) for text, times in count.most_common()]
        return Sanitizer(tool=self.tool, version=self.version, findings=ranked)


def installed(tool: SanitizerTool) -> Watch:
    """Raises ValueError where compute-sanitizer is not on the PATH."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise ValueError(
            f"--sanitize {tool}: {PROGRAM} is not on the PATH; it comes with the CUDA Toolkit"
        )
    said = run_checked([program, "--version"]).output
    version = re.search(r"\d+(?:\.\d+)+", said)
    return Watch(program, tool, version.group() if version else "unknown")


def findings(log: str) -> Iterator[str]:
    """Each finding as often as it stands there: what, and the function that it was in."""
    block: list[str] = []
    for line in [*log.splitlines(), BORDER]:
        words = line.removeprefix(BORDER).strip() if line.startswith(BORDER) else ""
        if words and not TOLD_OTHERWISE.match(words):
            block.append(words)
        elif block:
            yield said_in_short(block)
            block = []


def said_in_short(block: list[str]) -> str:
    """The same for the same fault: without addresses, which differ from run to run."""
    where = next((line for line in block[1:] if line.startswith("at ")), "")
    return ", ".join(filter(None, (ADDRESS.sub("", part).strip() for part in (block[0], where))))
