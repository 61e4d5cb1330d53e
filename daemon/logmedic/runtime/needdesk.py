"""What waits for a person, gathered from the engine, the rules in force and the parts; as of ports.Control."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from logmedic.core.needs import Facts, count_of, needs_of
from logmedic.model.alert import Receiver, ReceiverState
from logmedic.model.alertevent import AlertEvent
from logmedic.model.changeset import Ailing
from logmedic.model.issue import IncidentStatus
from logmedic.model.policy import Policy
from logmedic.model.state import EngineState
from logmedic.ports import Clock, Keeper
from logmedic.runtime import symptoms
from logmedic.runtime.alertrows import OK, health_of
from logmedic.runtime.engine import Engine
from logmedic.runtime.fixrows import Row, row_of
from logmedic.runtime.live import Live
from logmedic.runtime.reload import problem_line
from logmedic.runtime.supervisor import Supervisor

_TYPE_AGAIN = "logmedic status"


class NeedDesk:
    """The part of ports.Control that says what people are needed for; its contracts are there. Asks no store."""

    def __init__(
        self,
        *,
        engine: Engine,
        keeper: Keeper,
        live: Live,
        supervisor: Supervisor,
        receivers: Callable[[], Mapping[str, Receiver]],
        unusable: Mapping[str, str],
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._keeper = keeper
        self._live = live
        self._supervisor = supervisor
        self._receivers = receivers
        self._unusable = unusable
        self._clock = clock

    def needs(self) -> list[Row]:
        return [row_of(each) for each in needs_of(*self._given())[0]]

    def brief(self) -> Row:
        state = self._engine.state
        return {
            "host": self._live.current.policy.hostname,
            "needs_you": count_of(*self._given()),
            "open_incidents": sum(1 for each in state.incidents.values() if each.status is not IncidentStatus.RESOLVED),
            "alerts_waiting": len(state.alerts),
        }

    def _given(self) -> tuple[EngineState, Policy, Facts, datetime]:
        return self._engine.state, self._live.current.policy, self._facts(), self._clock.now()

    def _facts(self) -> Facts:
        generation, state = self._live.current, self._engine.state
        healths = {
            name: health_of(state.receivers.get(name) or ReceiverState(name), self._unusable.get(name, ""))
            for name in self._receivers()
        }
        return Facts(
            problems=[problem_line(each) for each in generation.ruleset.problems],
            stale=generation.ruleset.stale_files,
            quarantined=generation.matcher.quarantined,
            ailing=self._ailing(),
            receivers={name: told["last_error"] for name, told in healths.items() if told["state"] != OK},
            receivers_total=len(healths),
            waiting=len(state.alerts),
        )

    def _ailing(self) -> Sequence[Ailing]:
        """At once, and without the patience that messages have."""
        looks = (
            symptoms.disarmed(self._engine.state, self._live.current.policy),
            symptoms.failing_parts(self._supervisor.parts, self._clock.now()),
            symptoms.given_up(self._keeper.notices),
        )
        found = [each.ailing for look in looks for each in look]
        if problem := self._engine.commit_problem:
            to_do = "Make room, or make it writable: what cannot be stored waits, and no fix runs."
            found.append(Ailing("store", AlertEvent.STORE, problem, to_do, _TYPE_AGAIN))
        return found
