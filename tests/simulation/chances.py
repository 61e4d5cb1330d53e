"""What can go wrong in a simulated world. Each seed has some of it, and none of the rest: a fault that is always there
hides what happens without it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from random import Random


@dataclass(frozen=True, slots=True)
class Faults:
    """Chances, 0 to 1: of one read, commit, step, probe, message, or (`killed` and what follows it) one step of the
    story. `*_unsure`: it was done, and is said not to be. `*_slow`: it takes up to a minute instead of a moment.
    `interrupted`: people step in as a fix is checked, runs, or waits for its next try. `store_*`: of one try to open
    the store, and of one question to it as the daemon starts."""

    read_fails: float = 0.0
    read_slow: float = 0.0
    lines_lost: float = 0.0
    commit_full: float = 0.0
    commit_unsure: float = 0.0
    commit_slow: float = 0.0
    step_fails: float = 0.0
    step_does_nothing: float = 0.0
    step_hangs: float = 0.0
    step_breaks: float = 0.0
    probe_unknown: float = 0.0
    probe_breaks: float = 0.0
    probe_slow: float = 0.0
    guard_fails: float = 0.0
    send_fails: float = 0.0
    send_unsure: float = 0.0
    send_hangs: float = 0.0
    send_refused: float = 0.0
    send_breaks: float = 0.0
    killed: float = 0.0
    stopped: float = 0.0
    reloaded: float = 0.0
    disarmed: float = 0.0
    clock_set: float = 0.0
    hostile: float = 0.0
    flood: float = 0.0
    operated: float = 0.0
    interrupted: float = 0.0
    store_full: float = 0.0
    store_busy: float = 0.0


NONE = Faults()
_COMMON = {
    "killed": 0.25,
    "stopped": 0.1,
    "reloaded": 0.3,
    "disarmed": 0.3,
    "operated": 0.6,
    "step_does_nothing": 0.9,
    "hostile": 0.3,
    "flood": 0.2,
    "store_full": 0.6,
    "store_busy": 0.5,
}
"""What belongs to a story's steps is likelier than what meets each call; and a fix has to fail again and again before
its breaker has anything to say."""
MOST = 0.35


def drawn(chance: Random) -> Faults:
    """About half of them, as likely as may be."""
    return replace(
        NONE,
        **{
            each.name: chance.uniform(0.0, _COMMON.get(each.name, MOST))
            for each in fields(Faults)
            if chance.random() < 0.5
        },
    )


def named(faults: Faults) -> str:
    """Those that there are."""
    return ", ".join(
        f"{each.name} {getattr(faults, each.name):.2f}" for each in fields(Faults) if getattr(faults, each.name)
    )
