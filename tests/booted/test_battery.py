"""The escape battery, through the unit tier: everything is blocked (SECURITY: the battery)."""

from __future__ import annotations

from typing import Any

import pytest

from booted.battery import attempts
from booted.conftest import Asking
from booted.host import Host


@pytest.fixture(scope="module")
def results(asking: Asking) -> dict[str, Any]:
    """By name; asked one after the other."""
    names = list(attempts())
    return dict(zip(names, asking.all(*({"rule": "try", "captures": {"name": each}} for each in names)), strict=True))


@pytest.mark.parametrize("name", list(attempts()))
def test_nothing_gets_out(results: dict[str, Any], name: str) -> None:
    assert results[name]["output"].startswith("tried"), results[name]
    assert "escaped" not in results[name]["output"], results[name]


def test_who_was_to_be_killed_is_still_there(host: Host) -> None:
    assert host.run("systemctl", "is-active", "listeners").strip() == "active"


@pytest.mark.parametrize("name", ["loopback", "abstract-socket", "socket-in-run", "see_etc_shadow", "write_etc_x"])
def test_outside_of_the_sandbox_the_same_programs_get_out(host: Host, name: str) -> None:
    """So that the battery is no row of programs that would fail anywhere."""
    assert "escaped" in host.run(f"/usr/lib/battery/{name}")
    host.run("rm", "-f", "/etc/x")
