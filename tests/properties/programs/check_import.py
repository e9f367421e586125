"""Run by a cell's own interpreter: import the release, and print what it says of itself as JSON."""

from __future__ import annotations

import json
from importlib.metadata import distributions

import paddle


def stated(what: str) -> str | None:
    """What `paddle.version` says of 'cuda' or 'cudnn'; None for a build without."""
    value = getattr(paddle.version, what, None)
    text = str(value() if callable(value) else getattr(paddle.version, f"{what}_version", ""))
    return text if text[:1].isdigit() and text.strip("0.") else None


def main() -> None:
    about = {
        "version": paddle.__version__,
        "cuda": stated("cuda"),
        "cudnn": stated("cudnn"),
        "packages": {d.metadata["Name"]: d.version for d in distributions()},
    }
    print(json.dumps(about))


if __name__ == "__main__":
    main()
