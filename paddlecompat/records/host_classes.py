"""The class of the host of a record: its operating system and, on the GPU, its generation."""

from __future__ import annotations

from paddlecompat.records.record import Host, Record

GENERATIONS = (
    ("Kepler", (3, 0)),
    ("Maxwell", (5, 0)),
    ("Pascal", (6, 0)),
    ("Volta", (7, 0)),
    ("Turing", (7, 5)),
    ("Ampere", (8, 0)),
    ("Ada", (8, 9)),
    ("Hopper", (9, 0)),
    ("Blackwell", (10, 0)),
)
"""Each with its first compute capability; it ends where the next begins."""
SYSTEMS = ("Linux", "WSL", "Windows", "macOS")
NOT_TOLD = "card not told"


def generation(capability: str) -> str:
    """'Turing' for '7.5'."""
    major, _, minor = capability.partition(".")
    reached = [name for name, first in GENERATIONS if (int(major), int(minor)) >= first]
    return reached[-1] if reached else f"capability {capability}"


def system(host: Host) -> str:
    """'Linux', 'WSL', 'Windows' or 'macOS'; 'another system' for any other."""
    if "WSL" in host.os:
        return "WSL"
    return next((name for name in SYSTEMS if host.os.startswith(name)), "another system")


def host_class(record: Record) -> str | None:
    """'Windows, Turing'; None where a GPU cell met no device: then it is of no class."""
    if record.place == "cpu":
        return system(record.host)
    if record.device is not None:
        return f"{system(record.host)}, {generation(record.device.capability)}"
    known = record.host.gpu is not None or record.not_run is None
    return f"{system(record.host)}, {NOT_TOLD}" if known else None


def in_order(host_class: str) -> tuple[int, int, str]:
    """What to sort classes by: Linux first, and old generations before new ones."""
    name, _, card = host_class.partition(", ")
    cards = [known for known, _ in GENERATIONS]
    return (
        SYSTEMS.index(name) if name in SYSTEMS else len(SYSTEMS),
        cards.index(card) if card in cards else len(cards),
        host_class,
    )
