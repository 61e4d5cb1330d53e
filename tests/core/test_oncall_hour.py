"""An hour on call: thirty incidents, two silences, a dead chat, an acknowledgement, a maintenance window. Its log of
messages is compared with the expected one, line by line.

To write the expected log again after a change that was meant: `python tests/core/test_oncall_hour.py`, and read it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from shift import Shift

from builders import FIX, match, observed, policy
from logmedic.core import letters
from logmedic.model.alert import AlertPlan, Branch, Delivery, Escalation, ReceiverPlan, Route, Selector
from logmedic.model.changeset import Acknowledge, AddSilence, Approve, Quiet, Speaking
from logmedic.model.match import MatchSpec
from logmedic.model.policy import MaintenanceWindow, Policy
from logmedic.model.rule import AlertSpec, Mode, Rule
from logmedic.model.severity import Severity
from logmedic.model.when import Clear, When

EXPECTED = Path(__file__).parent / "expected" / "oncall-hour.txt"
BEGIN = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)  # a Tuesday
DEAD_FROM, DEAD_UNTIL = BEGIN + timedelta(minutes=20), BEGIN + timedelta(minutes=32)


def rule(name: str, title: str, severity: Severity, *tags: str, quiet: int = 5, **changes: object) -> Rule:
    """`quiet`: minutes of silence after which its incidents are over."""
    when = When(clear=Clear(quiet=timedelta(minutes=quiet)))
    made = Rule(name, title, MatchSpec(("x",)), severity, tags=tags, when=when, fix=None)
    return replace(made, **changes)  # type: ignore[arg-type]


UPSTREAM = rule("web-upstream", "nginx cannot reach {upstream}", Severity.HIGH, "web")
SLOW = rule("web-slow", "pages are slow", Severity.MEDIUM, "web", quiet=3)
DB = rule("db-down", "the database is down", Severity.CRITICAL, "db", quiet=40)
NOT_BESIDE_DB = AlertSpec(not_while=("db-down",))
POOL = rule("db-pool", "no connection is left in the pool", Severity.HIGH, "db", alert=NOT_BESIDE_DB)
DISK = rule("disk-low", "/var is nearly full", Severity.LOW, "disk", quiet=10)
BACKUP = rule("backup-failed", "the backup failed", Severity.HIGH, "backup", quiet=20)
LOGIN = rule("login-guess", "somebody guesses passwords", Severity.LOW, "security", quiet=4)
WORKER = replace(rule("worker-dead", "the worker is dead", Severity.HIGH, "app"), fix=replace(FIX, mode=Mode.AUTO))
CACHE = replace(rule("cache-stuck", "the cache is stuck", Severity.HIGH, "app"), fix=replace(FIX, mode=Mode.AUTO))
ASKED = replace(FIX, mode=Mode.APPROVE)
QUEUE = replace(rule("queue-full", "the queue is full", Severity.HIGH, "app", quiet=15), fix=ASKED)

ROUTES = {
    "oncall": Route("oncall", ("chat",), ("mail",), escalate=(Escalation(timedelta(minutes=15), ("phone",)),)),
    "desk": Route("desk", ("mail",)),
}
PLAN = AlertPlan(
    ROUTES,
    "oncall",
    tree=(Branch(Selector(severities=frozenset({Severity.LOW})), ("desk",), place="tree[0]"),),
    receivers={name: ReceiverPlan(name) for name in ("chat", "mail", "phone")},
)
BACKUPS = MaintenanceWindow(
    "backups", frozenset(range(7)), time(3, 10), time(3, 25), UTC, tags=("backup",), silence=True
)


def the_policy() -> Policy:
    rules = (UPSTREAM, SLOW, DB, POOL, DISK, BACKUP, LOGIN, WORKER, CACHE, QUEUE)
    return policy(*rules, alerts=PLAN, maintenance=(BACKUPS,), resolve_after=timedelta(minutes=30))


def the_hour() -> Shift:
    on_call = Shift(the_policy(), BEGIN, reachable=_reachable, mends=lambda rule_id: rule_id != CACHE.id)

    def matched(minute: float, rule: Rule, group: str = "", **captures: str) -> None:
        at = BEGIN + timedelta(minutes=minute)
        on_call.at(at, lambda shift: observed(match(rule, shift.now, group, **captures)))

    for n in range(8):  # an upstream after the other goes: one message, then one more
        matched(1 + n / 30, UPSTREAM, f"10.0.0.{n}", upstream=f"10.0.0.{n}:8080")
    matched(2, WORKER)  # mended by itself
    matched(4, DISK)
    matched(5, DB)  # the cause of what follows
    for n in range(5):
        matched(5.2 + n / 10, POOL, f"pool{n}")
    on_call.at(_at(9), lambda shift: _ack(shift, DB, "anna"))
    on_call.at(_at(10), AddSilence("anna", "we know the pages are slow", _at(25), labels={"rule": "web-slow"}))
    for n in range(3):
        matched(11 + n, SLOW, f"page{n}")
    matched(12, BACKUP)  # inside the window of the backups
    on_call.at(_at(14), AddSilence("ben", "a scan that we ordered", _at(40), tags=("security",)))
    for n in range(4):
        matched(15 + n, LOGIN, f"192.0.2.{n}")
    for n in range(6):
        matched(18 + n / 4, CACHE)  # its fix does not help
    matched(22, QUEUE)  # the chat is dead: mail is used
    matched(26, BACKUP)  # and it goes on after the window
    on_call.at(_at(29), lambda shift: Approve(_open(shift, QUEUE), "anna"))
    on_call.at(_at(35), Quiet("postgres", _at(20)))
    matched(38, SLOW, "page9")
    matched(41, LOGIN, "192.0.2.9")
    on_call.at(_at(45), Speaking("postgres"))
    matched(50, WORKER)
    matched(55, DISK)
    on_call.run(_at(60))
    return on_call


def _at(minute: float) -> datetime:
    return BEGIN + timedelta(minutes=minute)


def _reachable(receiver: str, at: datetime) -> Delivery:
    dead = receiver == "chat" and DEAD_FROM <= at < DEAD_UNTIL
    return Delivery(not dead, "HTTP 503 Service Unavailable" if dead else "")


def _open(shift: Shift, rule: Rule) -> str:
    return next(each.id for each in shift.state.incidents.values() if each.rule_id == rule.id)


def _ack(shift: Shift, rule: Rule, by: str) -> Acknowledge:
    return Acknowledge(f"incident:{_open(shift, rule)}", by)


def the_log(on_call: Shift) -> str:
    opened = on_call.tally("incidents_opened")
    return "\n".join([*map(str, on_call.sent), "", f"{opened} incidents, {len(on_call.arrived)} messages arrived", ""])


def test_the_hour_is_told_as_expected_line_by_line() -> None:
    assert the_log(the_hour()).splitlines() == EXPECTED.read_text().splitlines()


def test_of_the_hour_nothing_is_lost_and_nothing_is_told_twice() -> None:
    on_call = the_hour()
    assert on_call.tally("incidents_opened") == 30
    on_call.run(BEGIN + timedelta(hours=12))
    assert on_call.lost() == []
    assert (on_call.state.notices, on_call.state.groups) == ({}, {})
    seen = [(each.alert.receiver, each.alert.id) for each in on_call.arrived]
    assert len(seen) == len(set(seen))


def test_everybody_who_was_told_of_an_incident_in_that_hour_is_told_of_its_end() -> None:
    on_call = the_hour()
    on_call.run(BEGIN + timedelta(hours=12))
    last_told: dict[tuple[str, str], str] = {}
    for each in on_call.arrived:
        message = letters.unpack(each.alert.content)
        last_told |= {(each.alert.receiver, story.subject): story.event.value for story in message.stories}
    ends = {end for (_, subject), end in last_told.items() if subject.startswith("incident:")}
    assert ends == {"recovered"}


if __name__ == "__main__":
    EXPECTED.parent.mkdir(exist_ok=True)
    EXPECTED.write_text(the_log(the_hour()))
    print(EXPECTED.read_text())
