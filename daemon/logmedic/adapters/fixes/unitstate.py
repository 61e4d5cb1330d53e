"""What the service manager says of a unit. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

STATUS_LIMIT = 2000
"""Characters of what a service says of itself (sd_notify's STATUS)."""


@dataclass(frozen=True, slots=True)
class UnitState:
    """`unit`: its own name, which may be another than the one that was asked for. `load`: loaded, not-found, masked,
    error, bad-setting. `active` and `sub`: ActiveState and SubState. `since`: when it became so, by the wall clock;
    `lasted`: for how long, by a clock that nobody sets; None: it never was otherwise. `result`: how its last run
    ended, in systemd's words. `oneshot`: it is over when its work is. `told`: what it says of itself (untrusted).
    `stops`: units that stop and start with it, when they run."""

    unit: str
    load: str
    active: str
    sub: str = ""
    since: datetime | None = None
    lasted: timedelta | None = None
    result: str = ""
    oneshot: bool = False
    told: str = ""
    stops: tuple[str, ...] = ()
    reloads: bool = True

    @property
    def problem(self) -> str:
        """Why no job of it can be, or nothing."""
        match self.load:
            case "not-found":
                return "there is no such unit"
            case "masked":
                return f"it is masked; type: systemctl unmask {self.unit}"
            case "error" | "bad-setting":
                return f"its unit file is wrong; type: systemd-analyze verify {self.unit}"
        return ""

    @property
    def words(self) -> str:
        """For people."""
        if self.load not in ("loaded", ""):
            return {"not-found": "there is no such unit"}.get(self.load, self.load)
        sub = f" ({self.sub})" if self.sub and self.sub != self.active else ""
        why = f", result {self.result}" if self.result not in ("", "success") else ""
        return f"{self.active}{sub}{why}"


_ENTERED = {
    "active": "ActiveEnterTimestamp",
    "reloading": "ActiveEnterTimestamp",
    "inactive": "InactiveEnterTimestamp",
    "failed": "InactiveEnterTimestamp",
    "activating": "InactiveExitTimestamp",
    "deactivating": "ActiveExitTimestamp",
}
"""When a unit became what its ActiveState is."""


def state_of(unit: str, properties: Mapping[str, Any], monotonic_s: float) -> UnitState:
    """Of what the interfaces Unit and Service tell; times of theirs in microseconds, 0: never."""
    active = str(properties.get("ActiveState", ""))
    entered = _ENTERED.get(active, "StateChangeTimestamp")
    at, ticks = properties.get(entered, 0), properties.get(f"{entered}Monotonic", 0)
    stops = {each for name in ("ConsistsOf", "RequiredBy", "BoundBy") for each in properties.get(name, ())}
    return UnitState(
        unit=str(properties.get("Id", unit)),
        load=str(properties.get("LoadState", "")),
        active=active,
        sub=str(properties.get("SubState", "")),
        since=datetime.fromtimestamp(at / 1e6, UTC) if at else None,
        lasted=timedelta(seconds=max(0.0, monotonic_s - ticks / 1e6)) if ticks else None,
        result=str(properties.get("Result", "")),
        oneshot=properties.get("Type") == "oneshot",
        told=str(properties.get("StatusText", ""))[:STATUS_LIMIT],
        stops=tuple(sorted(stops)),
        reloads=bool(properties.get("CanReload", True)),
    )
