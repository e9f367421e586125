"""Of what pip and uv say, the cause is kept: real texts, cut to what matters."""

from __future__ import annotations

import pytest

from paddlecompat.machine.processes import Ended, cause_in

TEXTS = {
    "pip: a full disk, in a traceback": (
        "ERROR: Exception:\n"
        "Traceback (most recent call last):\n"
        '  File "pip/_internal/cli/base_command.py", line 180, in exc_logging_wrapper\n'
        "    status = run_func(*args)\n"
        "OSError: [Errno 28] No space left on device: 'a.whl' -> 'full/a.whl'\n",
        "OSError: [Errno 28] No space left on device: 'a.whl' -> 'full/a.whl'",
    ),
    "pip: another error, in a traceback": (
        "ERROR: Exception:\n"
        "Traceback (most recent call last):\n"
        '  File "pip/_internal/utils/misc.py", line 208, in ask_input\n'
        "EOFError: EOF when reading a line\n",
        "EOFError: EOF when reading a line",
    ),
    "pip: a full disk, in a line": (
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n"
        "\nWARNING: You are using pip version 23.2.1\n",
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
    ),
    "pip: a closed port": (
        "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError("
        "'Failed to establish a new connection: [Errno 111] Connection refused')': /simple/a/\n"
        "ERROR: Could not find a version that satisfies the requirement a (from versions: none)\n"
        "ERROR: No matching distribution found for a\n",
        "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError("
        "'Failed to establish a new connection: [Errno 111] Connection refused')': /simple/a/",
    ),
    "pip: a file that is refused": (
        "ERROR: HTTP error 403 while getting http://someone:secret@localhost/a-1.0.whl\n"
        "ERROR: 403 Client Error: Forbidden for url: http://someone:secret@localhost/a-1.0.whl\n",
        "ERROR: 403 Client Error: Forbidden for url: http://localhost/a-1.0.whl",
    ),
    "pip: other hashes": (
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n"
        "    a==1.0 from file:///a-1.0.whl:\n"
        "        Expected sha256 0000\n"
        "             Got        1111\n",
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
    ),
    "uv: a full disk": (
        "error: Failed to install: a-1.0-py3-none-any.whl (a==1.0)\n"
        "  Caused by: failed to copy to full/a/RECORD: No space left on device (os error 28)\n",
        "error: Failed to install: a-1.0-py3-none-any.whl (a==1.0): "
        "failed to copy to full/a/RECORD: No space left on device (os error 28)",
    ),
    "uv: a closed port": (
        "Using CPython 3.12.1 interpreter at: bin/python\n"
        "error: Failed to fetch: http://localhost:9/simple/a/\n"
        "  cause: client error (Connect)\n"
        "  cause: tcp connect error\n"
        "  cause: Connection refused (os error 111)\n",
        "error: Failed to fetch: http://localhost:9/simple/a/: client error (Connect): "
        "tcp connect error: Connection refused (os error 111)",
    ),
    "uv: an index that answers 500": (
        "error: Failed to fetch: http://localhost/simple/a/\n"
        "  cause: HTTP status server error (500 Internal Server Error) for url (http://localhost)\n",
        "error: Failed to fetch: http://localhost/simple/a/: "
        "HTTP status server error (500 Internal Server Error) for url (http://localhost)",
    ),
    "uv: an index that answers 403": (
        "error: No solution found when resolving dependencies\n"
        "  cause: Because a was not found, your requirements are unsatisfiable.\n"
        "\n"
        "hint: An index (http://localhost/simple) returned a 403 Forbidden error.\n",
        "error: No solution found when resolving dependencies: Because a was not found, your "
        "requirements are unsatisfiable.: "
        "An index (http://localhost/simple) returned a 403 Forbidden error.",
    ),
    "uv: as older ones draw it": (
        "  \N{MULTIPLICATION SIGN} Failed to download `a==1.0`\n"
        "  ├─▶ Failed to fetch: `http://localhost/a-1.0.whl`\n"
        "  ╰─▶ HTTP status client error (403 Forbidden) for url\n"
        "      (http://localhost/a-1.0.whl)\n",
        "\N{MULTIPLICATION SIGN} Failed to download `a==1.0`: Failed to fetch: "
        "`http://localhost/a-1.0.whl`: HTTP status client error (403 Forbidden) for url",
    ),
    "a release: its last line": (
        "WARNING: [Errno 2] No such file or directory: 'ldconfig'\n"
        "Traceback (most recent call last):\n"
        "ImportError: libcudart.so.10.2: cannot open shared object file\n",
        "ImportError: libcudart.so.10.2: cannot open shared object file",
    ),
    "nothing": ("\n", "no words"),
}


@pytest.mark.parametrize(("text", "cause"), TEXTS.values(), ids=TEXTS)
def test_the_cause_is_kept(text: str, cause: str) -> None:
    assert cause_in(text) == cause


@pytest.mark.parametrize(
    ("status", "problem"),
    [(0, None), (2, "exit status 2, no words"), (-9, "ended by signal 9"), (None, "")],
)
def test_how_a_child_failed_is_told_in_a_line(status: int | None, problem: str | None) -> None:
    told = Ended("", "", status).problem
    assert told == problem if problem is None else str(told).startswith(problem)


def test_a_python_error_of_many_lines_is_told_by_its_first() -> None:
    raised = "TypeError: Descriptors cannot be created directly.\nIf this call came from\nMore: x"
    assert cause_in(f'Traceback (most recent call last):\n  File "a"\n{raised}') == (
        "TypeError: Descriptors cannot be created directly."
    )
