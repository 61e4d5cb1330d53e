"""What others hear of a breaker: the daemon, and the breakers of the same name in other processes."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from logmedic.client import requestid
from logmedic.client.calls import telling

if TYPE_CHECKING:
    from logmedic.client.client import Client


class Follower(Protocol):
    def told(self, state: str, seconds: float) -> None:
        """`state`: open (for so many more seconds) or closed. Called in the thread that hears it."""


@dataclass(frozen=True, slots=True)
class BreakerNews:
    """Of one breaker. `timeout`: seconds that it stays open. Never raises, never blocks."""

    name: str
    component: str
    client: Client | None
    shared: bool
    timeout: float

    def opened(self, error: BaseException) -> None:
        """`error`: the failure that opened it."""
        telling.report(
            self.client,
            error,
            kind="circuit_breaker_open",
            component=self.component,
            impact="high",
            request_id=requestid.current(),
            name=self.name,
            tags=("circuit_breaker", self.name),
            context={"open_for": f"{self.timeout:g} s"},
        )
        if self.shared:
            telling.share(self.client, self.name, "open", self.timeout)

    def closed(self, why: str) -> None:
        telling.report(
            self.client,
            f"the circuit breaker {self.name} closed: {why}",
            kind="circuit_breaker_closed",
            component=self.component,
            impact="low",
            name=self.name,
            tags=("circuit_breaker", self.name),
        )
        if self.shared:
            telling.share(self.client, self.name, "closed", 0.0)

    def follow(self, follower: Follower) -> None:
        telling.follow(self.client, self.name, _weakly(follower))


def _weakly(follower: Follower) -> Callable[[str, float], None]:
    """The client keeps what it tells for ever, but not the breaker."""
    found = weakref.ref(follower)

    def told(state: str, seconds: float) -> None:
        alive = found()
        if alive is not None:
            alive.told(state, seconds)

    return told
