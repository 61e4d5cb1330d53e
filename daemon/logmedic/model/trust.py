"""How far a rule's fix is trusted by now, who said so, and what it has earned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from logmedic.model.rule import Mode


@dataclass(frozen=True, slots=True)
class Trust:
    """Of one rule. `level`: how far its fix may go, under the daemon's own mode. `given`: the mode in the rule's file
    when this was decided: once the file says otherwise, the file counts. `wins` and `losses`: verified outcomes at this
    level, since `since`; `streak`: wins since the last loss; `recent`: the last outcomes, oldest first, True for a win.
    `proposed`: the next level, once `streak` reached Fix.graduate_after; a person decides. `fix`: the fingerprint of
    the fix (core/targets.py) that they are outcomes of. `by`, `why`: who said so; empty: nobody but the file."""

    rule_id: str
    level: Mode
    given: Mode
    since: datetime
    by: str = ""
    why: str = ""
    wins: int = 0
    losses: int = 0
    proposed: Mode | None = None
    fix: str = ""
    streak: int = 0
    recent: tuple[bool, ...] = ()


class TrustChangeKind(StrEnum):
    """PROPOSED: of the next level, which is not in force; WITHDRAWN: that is taken back. FILE: the rule's file says
    otherwise by now."""

    RAISED = "raised"
    LOWERED = "lowered"
    PROPOSED = "proposed"
    WITHDRAWN = "withdrawn"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class TrustChange:
    """One entry of the record. `by`: a person, or `logmedic`."""

    id: str
    rule_id: str
    at: datetime
    kind: TrustChangeKind
    before: Mode
    after: Mode
    by: str
    why: str


@dataclass(frozen=True, slots=True)
class Earned:
    """Verified outcomes of one step of a rule's fix, halved every HALF_LIFE (core/earned.py), as of `at`. With an empty
    `step`: the baseline, what became of incidents that nothing was done about: `fixed` of `tried` recovered by
    themselves in the time that the fix would have had. `action`: the fingerprint of the step that it was (empty for the
    baseline): one that was changed earns anew."""

    rule_id: str
    step: str
    tried: float
    fixed: float
    at: datetime
    action: str = ""


class PauseOrigin(StrEnum):
    """Who holds all fixes: a person, by command or page; the file of that name."""

    OPERATOR = "operator"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Pause:
    """The kill switch: while any is `on`, no step starts. `until` None: until it is taken back."""

    origin: PauseOrigin
    on: bool
    at: datetime
    by: str
    why: str = ""
    until: datetime | None = None
