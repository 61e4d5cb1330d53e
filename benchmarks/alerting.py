"""Scenario 29: decisions while everybody is told, beside the same where nobody is; how many messages a storm makes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from benchmarks.corpus import rules
from benchmarks.scanning import NOW
from benchmarks.table import Row
from logmedic.core import letters
from logmedic.core.decide import decide, due, due_of
from logmedic.model.alert import Alert, AlertPlan, Delivery, ReceiverPlan, Route
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Delivered, Input, Observed, Send, Tick
from logmedic.model.policy import Policy
from logmedic.model.record import Findings, Match, Record
from logmedic.model.state import EngineState
from logmedic.runtime.clock import Uuid7

MATCHES = 10_000
"""In a minute of the virtual clock."""
PER_BLOCK = 100
ROUTES = {"oncall": Route("oncall", ("chat", "mail"))}
UNLIMITED = {name: ReceiverPlan(name, max_per_hour=MATCHES) for name in ("chat", "mail")}
TOLD = AlertPlan(ROUTES, "oncall", receivers=UNLIMITED)
QUIET = timedelta(minutes=5)
SHAPES = ((1, 1), (1, 100), (100, 1), (100, 100))
"""Rules, and groups of each."""


def alerting(_: int) -> Iterator[Row]:
    """CPU of a whole storm, up to the end of its last incident: matches, ticks, messages, deliveries."""
    for wanted, groups in SHAPES:
        name = f"alerts, {wanted} rule{'s' * (wanted > 1)}, {groups} group{'s' * (groups > 1)} each"
        told, messages, counted = _storm(TOLD, wanted, groups)
        untold, _, _ = _storm(AlertPlan(), wanted, groups)
        rate, beside = MATCHES / told, MATCHES / untold
        detail = f"{rate:,.0f} decisions/s, {messages} messages"
        yield Row("29", name, detail, f"{beside:,.0f}/s with nobody to tell", f"{rate / beside:.2f}x")
        # At most: the first news and what follows it, the end and what follows that; to each of two receivers.
        most = 8 * wanted
        yield Row("29", "  messages of the storm", f"{messages}", f"{wanted} rules", "", f"<= {most}", messages <= most)
        yield Row("29", "  counts in them", f"{counted:,}", f"{MATCHES:,} matches", "", "equal", counted == MATCHES)


def _storm(plan: AlertPlan, count: int, groups: int) -> tuple[float, int, int]:
    """Seconds of CPU; messages; the matches that the last messages about each incident count, to one receiver."""
    made = [replace(each, fix=None) for each in rules(count)]
    policy = Policy(rules={each.id: each for each in made}, alerts=plan, resolve_after=QUIET, hostname="bench")
    storm = _Storm(policy)
    begun = time.process_time()
    step = timedelta(seconds=60 * PER_BLOCK / MATCHES)
    for first in range(0, MATCHES, PER_BLOCK):
        given = [_match(made[n % count].id, str(n // count % groups), n) for n in range(first, first + PER_BLOCK)]
        storm.give(Observed("bench", "/bench", Findings(matches=tuple(given), lines=PER_BLOCK), None))
        storm.wait(storm.now + step)
    while storm.wake is not None:
        storm.wait(storm.wake)
    spent = time.process_time() - begun
    ends = [letters.unpack(each.content) for each in storm.sent if each.event is AlertEvent.RECOVERED]
    return spent, len(storm.sent), sum(each.matches for each in ends) // len(ROUTES["oncall"].to)


class _Storm:
    """As the engine does it: what is due is looked for anew only when the last answer has come."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.state = EngineState()
        self.now = NOW
        self.wake: datetime | None = None
        self.sent: list[Alert] = []
        self._mint = Uuid7()

    def give(self, given: Input) -> None:
        changeset = decide(self.state, self.policy, given, self.now, self._mint)
        self.state.apply(changeset)
        self.wake = min(filter(None, (self.wake, due_of(changeset, self.policy, self.state))), default=None)
        for intent in changeset.intents:
            if isinstance(intent, Send):
                self.sent.append(intent.alert)
                self.give(Delivered(intent.alert.id, Delivery(True)))

    def wait(self, until: datetime) -> None:
        while self.wake is not None and self.wake <= until:
            self.wake = due(self.state, self.policy)
            if self.wake is None or self.wake > until:
                break
            self.now = max(self.now, self.wake)
            self.give(Tick())
        self.now = max(self.now, until)


def _match(rule_id: str, group: str, n: int) -> Match:
    text = f"2026-11-23 03:30:00 WARNING shop.worker: {n}"
    return Match(rule_id, Record("bench", "/bench", text, n * 100, n * 100 + 99, NOW), {"host": "192.0.2.7"}, group)
