"""What a decision changes of the news: the notices, their groups and messages, silences, and the state of receivers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import chain

from logmedic.model.alert import Alert, ReceiverState
from logmedic.model.notice import AlertGroup, Notice, Silence
from logmedic.model.state import EngineState


class DraftOfNews:
    """The part of a `Draft` that is about telling people. The state is never written."""

    def __init__(self, state: EngineState, now: datetime) -> None:
        self.state = state
        self.now = now
        self._alerts: dict[str, Alert] = {}
        self._notices: dict[str, Notice] = {}
        self._groups: dict[str, AlertGroup] = {}
        self._members: dict[str, dict[str, bool]] = {}
        """By key of the group and subject: whether it is in it."""
        self._inhibited: dict[str, bool] = {}
        """By subject: whether others are told instead of it."""
        self._silences: dict[str, Silence] = {}
        self._receivers: dict[str, ReceiverState] = {}

    def alert(self, alert_id: str) -> Alert | None:
        return self._alerts.get(alert_id) or self.state.alerts.get(alert_id)

    def alerts(self) -> list[Alert]:
        return list({**self.state.alerts, **self._alerts}.values())

    def put_alert(self, alert: Alert) -> None:
        self._alerts[alert.id] = alert

    def notice(self, subject: str) -> Notice | None:
        """One that something may still come of, or that this decision finished."""
        return self._notices.get(subject) or self.state.notices.get(subject)

    def notices(self) -> Iterator[Notice]:
        """Those that something may still come of."""
        ours = (each for each in self._notices.values() if not each.done)
        return chain((each for key, each in self.state.notices.items() if key not in self._notices), ours)

    def put_notice(self, notice: Notice) -> None:
        known = self.notice(notice.subject)
        for key in known.groups if known is not None else ():
            self._members.setdefault(key, {})[notice.subject] = False
        for key in () if notice.done else notice.groups:
            self._members.setdefault(key, {})[notice.subject] = True
        self._inhibited[notice.subject] = bool(notice.suppressed_by) and not notice.done
        self._notices[notice.subject] = notice

    def inhibited(self) -> list[Notice]:
        """Those that others are told instead of."""
        merged = {**dict.fromkeys(self.state.inhibited, True), **self._inhibited}
        found = (self.notice(subject) for subject, is_so in merged.items() if is_so)
        return [each for each in found if each is not None]

    def group(self, key: str) -> AlertGroup | None:
        found = self._groups.get(key) or self.state.groups.get(key)
        return None if found is None or found.done else found

    def groups(self) -> Iterator[AlertGroup]:
        ours = (each for each in self._groups.values() if not each.done)
        return chain((each for key, each in self.state.groups.items() if key not in self._groups), ours)

    def put_group(self, group: AlertGroup) -> None:
        self._groups[group.key] = group

    def members(self, key: str) -> list[Notice]:
        """Of the group, in the order in which they came into it."""
        merged = {**dict.fromkeys(self.state.members.get(key, ()), True), **self._members.get(key, {})}
        found = (self.notice(subject) for subject, is_in in merged.items() if is_in)
        return [each for each in found if each is not None]

    def silences(self) -> list[Silence]:
        """Those that are not over."""
        merged = {**self.state.silences, **self._silences}
        return [each for each in merged.values() if self.now < each.until]

    def silence(self, silence_id: str) -> Silence | None:
        return self._silences.get(silence_id) or self.state.silences.get(silence_id)

    def put_silence(self, silence: Silence) -> None:
        self._silences[silence.id] = silence

    def receiver_state(self, name: str) -> ReceiverState:
        return self._receivers.get(name) or self.state.receivers.get(name) or ReceiverState(name)

    def put_receiver_state(self, state: ReceiverState) -> None:
        if state != self.receiver_state(state.name):
            self._receivers[state.name] = state
