"""The system that a host is shown as."""

from __future__ import annotations

import pytest
import samples


@pytest.mark.parametrize(
    ("os", "name"),
    [
        ("Linux, Ubuntu 22.04", "Linux"),
        ("Linux, Ubuntu 22.04 (WSL2)", "WSL"),
        ("Windows 10.0.22631", "Windows"),
        ("Windows build under Wine 8.0 on Debian 12", "Wine"),
        ("Plan 9", "another system"),
    ],
)
def test_a_host_is_of_a_system(os: str, name: str) -> None:
    assert samples.host(os=os).system == name
