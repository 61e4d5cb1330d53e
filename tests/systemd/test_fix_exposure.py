"""How much each kind of installed fix is exposed, as systemd-analyze counts."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from logmedic.adapters.fixes.catalogue import canary_fix, installables
from logmedic.adapters.fixes.unitfiles import Ground, service_unit
from logmedic.model.match import MatchSpec
from logmedic.model.rule import Fix, Mode, Rule
from logmedic.model.sandbox import Network, SandboxSpec
from logmedic.model.step import Command, KillProcess, RotateLog, Step

GROUND = Ground("/usr/bin/python3", "/opt/logmedic/lib/logmedic", group="logmedic-fix")
RUN = Command(("/usr/bin/true",))
NONE = 0.6
"""Without a network, for whoever is not root. With the host's loopback it cannot be so little: the host's network (0.5)
and sockets of the internet (0.3) are what is asked for. Root costs 0.4, and that /tmp is its own is not counted."""
CASES: list[tuple[str, Any, dict[str, Any], float]] = [
    ("a command", RUN, {}, NONE),
    ("a command of an account", RUN, {"user": "app"}, NONE),
    ("a command of root", RUN, {"user": "root"}, 0.8),
    ("ending processes", KillProcess("nginx.service", "nginx"), {"user": "root"}, 1.2),
    ("rotating a log", RotateLog("/etc/logrotate.d/nginx"), {"user": "root"}, 1.7),
    ("loopback", RUN, {"network": Network.LOOPBACK}, 1.0),
    ("loopback of root", RUN, {"network": Network.LOOPBACK, "user": "root"}, 1.5),
    ("full", RUN, {"network": Network.FULL}, 1.2),
    ("full of root", RUN, {"network": Network.FULL, "user": "root"}, 1.7),
]


def exposure(text: str, room: Path) -> float:
    """Where the tool is missing this fails: nothing would be checked at all."""
    unit = room / "logmedic-fix-x@.service"
    unit.write_text(text)
    ran = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"exposure level for \S+: ([\d.]+)", ran.stdout)
    assert found is not None, ran.stdout[-2000:] + ran.stderr
    return float(found[1])


@pytest.mark.parametrize(("action", "sandbox", "most"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_fix_is_exposed_no_more_than_what_it_declared_costs(
    tmp_path: Path, action: Any, sandbox: dict[str, Any], most: float
) -> None:
    step = Step("mend", action, sandbox=SandboxSpec(**sandbox))
    (fix,) = installables([Rule("r1", "r1", MatchSpec(("x",)), fix=Fix(Mode.AUTO, (step,)))])
    assert exposure(service_unit(fix, GROUND), tmp_path) <= most


def test_the_canary_is_exposed_as_the_least_of_them(tmp_path: Path) -> None:
    canary = canary_fix(python=GROUND.python, package=GROUND.package)
    assert exposure(service_unit(canary, GROUND), tmp_path) <= NONE
