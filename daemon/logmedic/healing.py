"""Makes what runs fixes: the tiers that steps belong to, and the checks around them."""

from __future__ import annotations

import sys

from logmedic.adapters.fixes.bubblewrap import BubblewrapRunner
from logmedic.adapters.fixes.ground import interpreter, package
from logmedic.adapters.fixes.inline import Inline
from logmedic.adapters.fixes.probes import Probes
from logmedic.adapters.fixes.tiers import Tiers
from logmedic.adapters.fixes.unitbroker import UnitBroker
from logmedic.adapters.fixes.units import UnitControl
from logmedic.model.rule import Mode
from logmedic.ports import Clock
from logmedic.settings import Settings


def make_healing(settings: Settings, clock: Clock) -> tuple[Tiers, Probes]:
    """The caller closes the tiers."""
    actions, units = settings.actions, UnitControl()
    tiers = Tiers(
        unit=UnitBroker(
            python=interpreter(),
            package=package(),
            runtime=settings.web.socket.parent,
            state=settings.storage.path.parent,
        ),
        bubblewrap=BubblewrapRunner(
            user=actions.user,
            allow_unsandboxed=actions.allow_unsandboxed,
            python=sys.executable,
            ready=settings.mode is not Mode.OBSERVE,
        ),
        jobs=units,
        inline=Inline(clock=clock),
        choice=actions.sandbox.value,
        allow_unsandboxed=actions.allow_unsandboxed,
        allow_root=actions.allow_root,
    )
    return tiers, Probes(runner=tiers, clock=clock, units=units)
