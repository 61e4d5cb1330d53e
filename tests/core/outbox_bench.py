"""An outbox on a virtual clock: what is handed over, what leaves, and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

import builders as make
from logmedic.core import letters, outbox
from logmedic.core.alerting.writing import write
from logmedic.core.draft import Draft
from logmedic.core.ownstories import of_test
from logmedic.model.alert import Alert, AlertPlan, AlertStatus, Delivery, ReceiverPlan, Route
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Changeset, LastResort, Resend, Send
from logmedic.model.issue import Learning
from logmedic.model.message import Message, MessageKind, Story
from logmedic.model.notice import Notice
from logmedic.model.severity import Severity
from logmedic.model.state import EngineState

PLAN = AlertPlan(
    routes={"oncall": Route("oncall", ("chat",), ("mail", "phone"))},
    default_route="oncall",
    receivers={name: ReceiverPlan(name) for name in ("chat", "mail", "phone")},
)
ARRIVED = Delivery(True)
DOWN = Delivery(False, "no answer: Connection refused")
REFUSED = Delivery(False, "HTTP 404 Not Found (no_service)", permanent=True)


def plan_of(*receivers: ReceiverPlan, **changes: object) -> AlertPlan:
    """PLAN, with these receivers as they are."""
    known = {**PLAN.receivers, **{each.name: each for each in receivers}}
    return replace(PLAN, receivers=known, **changes)  # type: ignore[arg-type]


def story(subject: str = "incident:i1", **changes: object) -> Story:
    made = Story(
        subject=subject,
        event=AlertEvent.OPENED,
        severity=Severity.HIGH,
        symptom=f"{subject.partition(':')[2]} is down",
        outcome="no fix",
        need="look at it",
        broke="The shop does not answer.",
        tried="Nothing.",
        following="Nothing.",
        to_do="Look at it.",
        since=make.START,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


class Box:
    """Decisions of the outbox alone, applied one by one. `sent`: what was handed to the sender, in order. `alerts`: the
    last version of each, whatever became of it."""

    def __init__(self, plan: AlertPlan = PLAN) -> None:
        self.policy = replace(make.policy(), alerts=plan)
        self.state = EngineState()
        self.now = make.START
        self.sent: list[Alert] = []
        self.handed: dict[str, datetime] = {}
        """When each was handed to the sender last."""
        self.last_resorts: list[LastResort] = []
        self.learnings: list[Learning] = []
        self.alerts: dict[str, Alert] = {}
        self.tallies: dict[str, int] = {}
        ids = count(1)
        self._mint: Callable[[], str] = lambda: f"{next(ids):08d}"

    def decide(self, what: Callable[[Draft], object]) -> Changeset:
        draft = Draft(self.state, self.policy, self.now, self._mint)
        what(draft)
        changeset = draft.changeset()
        self.take(changeset)
        return changeset

    def take(self, changeset: Changeset) -> None:
        self.state.apply(changeset)
        self.alerts.update((each.id, each) for each in changeset.alerts)
        sent = [each.alert for each in changeset.intents if isinstance(each, Send)]
        self.sent += sent
        self.handed.update((each.id, self.now) for each in sent)
        self.last_resorts += [each for each in changeset.intents if isinstance(each, LastResort)]
        self.learnings += changeset.learnings
        for tally in changeset.tallies:
            self.tallies[tally.kind] = self.tallies.get(tally.kind, 0) + tally.n

    def tell(
        self,
        receiver: str = "chat",
        told: Story | None = None,
        kind: MessageKind = MessageKind.NEWS,
        route: str = "oncall",
    ) -> Alert:
        """A message is handed over; its notice is marked, as a flush would. Answers it as it is then."""
        told = told or story(f"incident:i{len(self.alerts)}")
        made: list[Alert] = []

        def hand_over(draft: Draft) -> None:
            known = draft.notice(told.subject)
            version = known.version + 1 if known is not None else 1
            marked = {**(known.told if known is not None else {}), receiver: version}
            draft.put_notice(notice(told, version=version, told=marked))
            alert = write(draft, [told], receiver=receiver, route=route, thread="t", subject="s", kind=kind)
            made.append(alert)
            outbox.hand_over(draft, alert)

        self.decide(hand_over)
        return self.alerts.get(made[0].id, made[0])

    def answer(self, delivery: Delivery = ARRIVED, alert: Alert | None = None, after: float = 0.1) -> Alert:
        """What came of the last one that was sent, or of `alert`."""
        alert = alert or self.sent[-1]
        self.now += timedelta(seconds=after)
        self.decide(lambda draft: outbox.on_delivery(draft, alert.id, delivery))
        return self.alerts[alert.id]

    def tick(self, after: float = 0.0) -> list[Alert]:
        """Answers what is handed to the sender now."""
        self.now += timedelta(seconds=after)
        before = len(self.sent)
        self.decide(outbox.send_due)
        return self.sent[before:]

    def due(self) -> datetime | None:
        return outbox.due(self.state.alerts.values(), self.state.receivers, self.policy.alerts)

    def to_due(self) -> list[Alert]:
        """The clock goes on to when something is due; answers what is sent then."""
        at = self.due()
        assert at is not None, "nothing is due"
        self.now = max(self.now, at)
        return self.tick()

    def restart(self) -> list[Alert]:
        """Another process, with what is stored. Answers what it sends at once."""
        stored = self.state
        self.state = EngineState()
        self.state.apply(
            Changeset(
                alerts=(*stored.dead.values(), *stored.alerts.values()),
                receivers=tuple(stored.receivers.values()),
                notices=tuple(stored.notices.values()),
                groups=tuple(stored.groups.values()),
            )
        )
        before = len(self.sent)
        self.decide(outbox.resend_interrupted)
        return self.sent[before:]

    def resend(self, *alerts: Alert) -> None:
        self.decide(lambda draft: outbox.resend(draft, Resend(tuple(each.id for each in alerts), "ops")))

    def fail(self, times: int, delivery: Delivery = DOWN, receiver: str = "chat") -> None:
        """The next `times` tries of `receiver` fail, each when it is due; the others accept everything."""
        for _ in range(times):
            while not (sending := self.on_its_way(receiver)):
                self.accept(but=receiver)
                self.to_due()
            self.answer(delivery, sending[0])

    def accept(self, but: str = "") -> None:
        """What is on its way arrives, but to one receiver."""
        for each in self.on_its_way():
            if each.receiver != but:
                self.answer(ARRIVED, each)

    def fail_all(self, limit: timedelta) -> None:
        """Nobody can be reached until nothing waits any more, or for so long."""
        ends = self.now + limit
        while self.due() is not None and self.now < ends:
            for each in self.on_its_way():
                self.answer(DOWN, each)
            if self.due() is not None:
                self.to_due()

    def test(self, receiver: str = "chat") -> Alert:
        """A test message is sent."""

        def send(draft: Draft) -> None:
            outbox.send_test(
                draft, write(draft, [of_test(self.now)], receiver=receiver, route="", thread="", subject="")
            )

        self.decide(send)
        return self.sent[-1]

    def on_its_way(self, receiver: str = "") -> list[Alert]:
        found = [each for each in self.state.alerts.values() if each.status is AlertStatus.SENDING]
        return [each for each in found if receiver in ("", each.receiver)]

    def of(self, receiver: str, *statuses: AlertStatus) -> list[Alert]:
        """The last versions of its alerts with one of `statuses` (any when none is named)."""
        found = [each for each in self.alerts.values() if each.receiver == receiver]
        return [each for each in found if not statuses or each.status in statuses]


def notice(of: Story, **changes: object) -> Notice:
    made = Notice(
        subject=of.subject,
        event=of.event,
        severity=of.severity,
        title=of.symptom,
        at=make.START,
        since=of.since,
        tags=of.tags,
        story=letters.pack_story(of),
        over=of.over,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def message_of(alert: Alert) -> Message:
    return letters.unpack(alert.content)
