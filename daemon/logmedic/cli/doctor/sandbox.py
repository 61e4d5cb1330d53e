"""Whether fixes can run: the tier, its canary, and what the daemon itself says of them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from logmedic.cli.doctor.finding import Finding, warning, well, wrong

if TYPE_CHECKING:
    from logmedic.model.fix import Arming
    from logmedic.settings import Settings

LIMIT_S = 40.0
"""Two canaries that hang, each for its own time."""
_INSTALL = "sudo logmedic install fixes"
_SHOWN = 3


def of_arming(
    name: str, *, armed: bool, sandbox: str, reason: str, observes: bool, refused: Mapping[str, str]
) -> Iterator[Finding]:
    """`observes`: no fix may run anyway, and a sandbox that does not hold is missed by nobody yet."""
    if armed:
        yield well(name, f"{sandbox}: the canary held")
    else:
        told, _, repair = (reason or "it was not tried").partition("; type: ")
        ill = warning if observes else wrong
        yield ill(name, f"fixes are disarmed: {told}", repair or "logmedic status; see docs/sandbox.md")
    for rule_id, why in sorted(refused.items())[:_SHOWN]:
        told, _, repair = why.partition("; type: ")
        yield warning(name, f"{rule_id}: {told}", repair or f"logmedic why {rule_id}")
    if len(refused) > _SHOWN:
        yield warning(name, f"and the fixes of {len(refused) - _SHOWN} more rules cannot run here", "logmedic status")


def of_unit_tier(*, installed: bool, wanted: str, booted: bool) -> Finding:
    """`wanted`: actions.sandbox. `booted`: systemd runs this host."""
    if installed:
        return well("unit tier", "fixes are installed as units")
    if wanted == "unit":
        return wrong("unit tier", "actions.sandbox is `unit`, and nothing is installed", _INSTALL)
    if booted:
        return warning("unit tier", "nothing is installed, and no other sandbox starts inside the service", _INSTALL)
    return well("unit tier", "nothing is installed: bubblewrap is the sandbox")


def look(settings: Settings) -> Iterator[Finding]:
    """As whoever runs this: the canary of the daemon's user says more than root's."""
    from logmedic.model.rule import Mode

    arming, installed = asyncio.run(_tried(settings))
    booted = os.path.isdir("/run/systemd/system")
    yield of_unit_tier(installed=installed, wanted=settings.actions.sandbox.value, booted=booted)
    yield from of_arming(
        "sandbox",
        armed=arming.armed,
        sandbox=arming.sandbox,
        reason=arming.reason,
        observes=settings.mode is Mode.OBSERVE,
        refused={},
    )


async def _tried(settings: Settings) -> tuple[Arming, bool]:
    from logmedic.adapters.fixes.ground import interpreter, package
    from logmedic.adapters.fixes.unitbroker import UnitBroker
    from logmedic.healing import make_healing
    from logmedic.runtime.clock import SystemClock

    tiers, _ = make_healing(settings, SystemClock())
    try:
        arming = await tiers.arm(())
    finally:
        await tiers.close()
    return arming, UnitBroker(python=interpreter(), package=package()).installed


def of_daemon(status: Mapping[str, Any]) -> Iterator[Finding]:
    """What the daemon that runs found inside its own unit."""
    arming = status["arming"]
    yield from of_arming(
        "daemon's fixes",
        armed=arming["armed"],
        sandbox=arming["sandbox"],
        reason=arming["reason"],
        observes=status["mode"] == "observe",
        refused=arming["refused"],
    )
    if status.get("paused"):
        yield warning("daemon's fixes", "fixes are paused", "logmedic resume")
