"""What answers of several endpoints hold."""

from __future__ import annotations

from logmedic.adapters.web import shapes
from logmedic.adapters.web.shapes import FLAG, NUMBER, TEXT, TIME, WHOLE, by_name, listed, maybe, named, record
from logmedic.core.earned import Rank
from logmedic.model.alert import Alert
from logmedic.model.fix import Breaker, FixAttempt
from logmedic.model.issue import Incident, KnownIssue, Learning, Template
from logmedic.model.learned import Onset
from logmedic.model.notice import Notice
from logmedic.model.rule import Mode
from logmedic.model.trust import Pause, Trust, TrustChange

INCIDENT = shapes.row(Incident)
ISSUE = shapes.row(KnownIssue)
TEMPLATE = shapes.row(Template)
LEARNING = shapes.row(Learning)
ONSET = shapes.row(Onset)
ATTEMPT = shapes.row(FixAttempt)
ATTEMPT_LISTED = shapes.row(FixAttempt, "output", called="FixAttemptListed", title=TEXT)
BREAKER = shapes.row(Breaker)
ALERT = shapes.row(Alert, "content")
NOTICE = shapes.row(Notice)
PAUSE = shapes.row(Pause)
TRUST_CHANGE = shapes.row(TrustChange)
TRUST = shapes.row(
    Trust,
    but={"since": maybe(TIME)},
    mode=maybe(shapes.choice(Mode)),
    whose=TEXT,
    graduate_after=WHOLE,
    in_force=FLAG,
)
STEP_RANK = shapes.row(Rank, called="StepRank", rung=WHOLE, choice=FLAG)
STATS = named(
    "Stats",
    "The six metrics. A share is from 0 to 1, and null when nothing was tried; times are in seconds.",
    total_errors=WHOLE,
    auto_fixed=WHOLE,
    auto_fix_success_rate=maybe(NUMBER),
    circuit_breaker_opens=WHOLE,
    escalations=WHOLE,
    avg_recovery_time_s=maybe(NUMBER),
)
COUNTS = by_name(WHOLE)
SOURCE = named(
    "Source",
    "One origin of a source: how far it was read, and what went wrong.",
    source=TEXT,
    origin=TEXT,
    offset=WHOLE,
    size=WHOLE,
    lag_bytes=WHOLE,
    lag_s=maybe(NUMBER),
    last_read_at=maybe(TIME),
    last_line_at=maybe(TIME),
    quiet_since=maybe(TIME),
    lines=WHOLE,
    bytes=WHOLE,
    gaps=WHOLE,
    truncations=WHOLE,
    skipped_bytes=WHOLE,
    problem=TEXT,
)
RECEIVER = named(
    "Receiver",
    "Whether messages arrive there. Its address is a secret, and never answered.",
    name=TEXT,
    scheme=TEXT,
    state={"type": "string", "enum": ["ok", "breaker open", "disabled", "unusable"]},
    routes=listed(TEXT),
    failures=WHOLE,
    open_until=maybe(TIME),
    trial=FLAG,
    last_error=TEXT,
    last_error_at=maybe(TIME),
    sent_at=maybe(TIME),
    pending=WHOLE,
    deferred=WHOLE,
    dead=WHOLE,
)
PAUSED = record(paused=FLAG, pauses=listed(PAUSE))
SUBJECT_ID = "The id, or a unique end of it of at least 4 characters."
RULE_ID = "The id of a rule."
