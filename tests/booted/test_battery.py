"""The escape battery, through the unit tier: everything is blocked (SECURITY: the battery)."""

from __future__ import annotations

import pytest

from booted.battery import attempts
from booted.conftest import Asking
from booted.host import Host


@pytest.mark.parametrize("name", list(attempts()))
def test_nothing_gets_out(asking: Asking, name: str) -> None:
    result = asking.one("try", name=name)
    assert result["output"].startswith("tried"), result
    assert "escaped" not in result["output"], result


def test_who_was_to_be_killed_is_still_there(host: Host) -> None:
    assert host.run("systemctl", "is-active", "listeners").strip() == "active"


@pytest.mark.parametrize("name", ["loopback", "abstract-socket", "socket-in-run", "see_etc_shadow", "write_etc_x"])
def test_outside_of_the_sandbox_the_same_programs_get_out(host: Host, name: str) -> None:
    """So that the battery is no row of programs that would fail anywhere."""
    assert "escaped" in host.run(f"/usr/lib/battery/{name}")
    host.run("rm", "-f", "/etc/x")
