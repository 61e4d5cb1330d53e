"""A client of the daemon without a socket: it keeps what it is told, answers by script, and passes on what breakers
share as the daemon does: to all that follow, in order."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from logmedic.client.answers import Answer, State

if TYPE_CHECKING:
    from logmedic.client.client import Client


@dataclass(frozen=True, slots=True)
class Reported:
    """`wait`: seconds that its sender asked to wait for an answer; 0.0: it did not ask."""

    id: str
    error: BaseException | str
    facts: dict[str, Any]
    wait: float = 0.0

    @property
    def kind(self) -> str:
        return str(self.facts.get("kind", "error"))


class Host:
    """The daemon between clients of one user: it tells every other follower, at once."""

    def __init__(self) -> None:
        self._followers: list[tuple[RecordingClient, str, Callable[[str, float], None]]] = []
        self.messages: list[tuple[str, str, float]] = []

    def follow(self, client: RecordingClient, name: str, told: Callable[[str, float], None]) -> None:
        self._followers.append((client, name, told))

    def share(self, client: RecordingClient, name: str, state: str, open_for: float) -> None:
        self.messages.append((name, state, open_for))
        for follower, wanted, told in list(self._followers):
            if wanted == name and follower is not client:
                told(state, open_for)


class RecordingClient:
    """`states`: of the answers, in order; the last one stands for all that follow. `mends`: called before an answer
    that says fixed."""

    def __init__(
        self,
        *states: State,
        mends: Callable[[], None] = lambda: None,
        host: Host | None = None,
    ) -> None:
        self._left = list(states or (State.UNKNOWN,))
        self._mends = mends
        self._host = host or Host()
        self._lock = threading.Lock()
        self.reported: list[Reported] = []
        self.shared: list[tuple[str, str, float]] = []
        self.followed: dict[str, int] = defaultdict(int)

    def report(self, error: BaseException | str, **facts: Any) -> str:
        return self._take(error, facts, 0.0)

    def ask(self, error: BaseException | str, *, wait: float, **facts: Any) -> Answer:
        report_id = self._take(error, facts, wait)
        state = self._left.pop(0) if len(self._left) > 1 else self._left[0]
        if state is State.FIXED:
            self._mends()
        return Answer(state, report_id=report_id)

    async def ask_async(self, error: BaseException | str, *, wait: float, **facts: Any) -> Answer:
        return self.ask(error, wait=wait, **facts)

    def share(self, name: str, state: str, open_for: float = 0.0) -> None:
        self.shared.append((name, state, open_for))
        self._host.share(self, name, state, open_for)

    def follow(self, name: str, told: Callable[[str, float], None]) -> None:
        self.followed[name] += 1
        self._host.follow(self, name, told)

    @property
    def real(self) -> Client:
        """Where one is wanted."""
        return cast("Client", self)

    @property
    def kinds(self) -> list[str]:
        return [each.kind for each in self.reported]

    def of_kind(self, kind: str) -> list[Reported]:
        return [each for each in self.reported if each.kind == kind]

    @property
    def asked(self) -> list[Reported]:
        return [each for each in self.reported if each.wait]

    def _take(self, error: BaseException | str, facts: dict[str, Any], wait: float) -> str:
        with self._lock:
            report_id = f"report-{len(self.reported) + 1}"
            self.reported.append(Reported(report_id, error, facts, wait))
        return report_id


class BrokenClient:
    """Whatever it is asked, it fails."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"this client has no {name}")

    @property
    def real(self) -> Client:
        return cast("Client", self)
