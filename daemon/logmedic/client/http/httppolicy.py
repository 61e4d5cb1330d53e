"""What the ASGI and the WSGI middleware share: which requests may be repeated, what they are called, whom to tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from logmedic.client import requestid
from logmedic.client.healing import Healing
from logmedic.client.http import failurelog

if TYPE_CHECKING:
    from logmedic.client.breaker import CircuitBreaker
    from logmedic.client.client import Client, Impact
    from logmedic.client.retrying import Retry

A = TypeVar("A")

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
MAX_BODY = 64 * 1024


@dataclass(frozen=True, slots=True)
class HttpPolicy:
    """`asking` waits for a fix, `telling` only reports. `header`: in lower case."""

    asking: Healing
    telling: Healing
    retry: Retry | None
    breaker: CircuitBreaker | None
    repeat: bool
    action: str
    safe_methods: frozenset[str]
    max_body: int
    header: str
    places: BoundedSemaphore

    def may_repeat(self, method: str) -> bool:
        return self.repeat or method in self.safe_methods

    def kept_bytes(self, method: str) -> int:
        """Of the request's body; below 0: none."""
        return self.max_body if self.may_repeat(method) else -1

    def request_id(self, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """ASGI's headers."""
        wanted = self.header.encode()
        given = (value.decode("latin-1") for name, value in headers if name.lower() == wanted)
        return requestid.accepted(next(given, ""))

    @contextmanager
    def asked(self) -> Iterator[Healing]:
        """Who is asked about an error: nobody (`telling`) while too many wait already."""
        if not self.places.acquire(blocking=False):
            yield self.telling
            return
        try:
            yield self.asking
        finally:
            self.places.release()

    def named(self, method: str, route: str) -> str:
        """What the request is called in reports and in the log."""
        return self.action or failurelog.shown(f"{method} {route}")

    def tell(self, error: Exception, action: str, request_id: str) -> None:
        """For an error that is raised on: whoever catches it logs its traceback. Never waits."""
        named = self.action or failurelog.shown(action)
        failurelog.failed(error, named, request_id, traceback=False)
        self.telling.failed(error, action=named, request_id=request_id, may_repeat=False)


class Around(Generic[A]):
    """What both middlewares are made of: an application, and what is done about its errors.

    `retry` (of requests that may be repeated) and `breaker` are around the application, inside of the healing; an open
    breaker answers 503 at once. `wait`: seconds for a fix at most. `repeat`: requests of any method may be repeated.
    `action`: what requests are called in reports, the method and the route by default. `max_body`: bytes of a request's
    body that are kept for its repeat; one with more is not repeated. `header` carries the request's id, in and out.
    `max_waiting`: so many requests wait for a fix at once, and any more are refused; MAX_WAITING by default."""

    MAX_WAITING = 10_000

    def __init__(
        self,
        app: A,
        component: str,
        *,
        retry: Retry | None = None,
        breaker: CircuitBreaker | None = None,
        auto_fix: bool = True,
        wait: float = 10.0,
        repeat: bool = False,
        action: str = "",
        impact: Impact = "medium",
        environment: str = "",
        client: Client | None = None,
        safe_methods: Sequence[str] = SAFE_METHODS,
        max_body: int = MAX_BODY,
        header: str = "x-request-id",
        max_waiting: int | None = None,
    ) -> None:
        said: dict[str, Any] = {"impact": impact, "environment": environment, "client": client}
        self.app = app
        self.policy = HttpPolicy(
            asking=Healing(component, auto_fix=auto_fix, wait=wait, **said),
            telling=Healing(component, auto_fix=False, **said),
            retry=retry,
            breaker=breaker,
            repeat=repeat,
            action=action,
            safe_methods=frozenset(safe_methods),
            max_body=max_body,
            header=header.lower(),
            places=BoundedSemaphore(self.MAX_WAITING if max_waiting is None else max_waiting),
        )
