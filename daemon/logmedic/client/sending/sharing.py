"""Circuit breakers that all processes of a user on this host share, through the daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from logmedic.client import guarded
from logmedic.client.sending.wire import MAX_LINE, MAX_NAMES, MAX_WORDS, BreakerNews, encoded

Told = Callable[[str, float], None]
"""Is called in the client's thread with ("open", seconds) or ("closed", 0.0)."""
MAX_OPEN_S = 86_400.0
MAX_SHARED = 1000


class Board:
    """What this process says of its breakers, and who wants to hear of which. Times are seconds of `time.monotonic`."""

    def __init__(self) -> None:
        self._open_until: dict[str, float] = {}
        self._unsaid: dict[str, bool] = {}
        """Breakers that changed, and whether they are open."""
        self._followed: dict[str, list[Told]] = {}
        self._unfollowed: list[str] = []

    @property
    def wants_connection(self) -> bool:
        return bool(self._followed or self._unsaid)

    def share(self, name: str, is_open: bool, open_for: float, now: float) -> None:
        if not name.strip() or (len(self._unsaid) >= MAX_SHARED and name not in self._unsaid):
            return
        self._open_until.pop(name, None)
        if is_open:
            self._open_until[name] = now + min(max(open_for, 0.0), MAX_OPEN_S)
        self._unsaid[name] = is_open

    def follow(self, name: str, told: Told) -> None:
        if name.strip():
            self._followed.setdefault(name[:MAX_WORDS], []).append(told)
            self._unfollowed.append(name[:MAX_WORDS])

    def connected(self, now: float) -> None:
        """A new connection knows nothing of what was said on the last one."""
        self._unfollowed = list(self._followed)
        for name, until in list(self._open_until.items()):
            if until > now:
                self._unsaid.setdefault(name, True)
            else:
                del self._open_until[name]

    def lines(self, now: float) -> Iterator[bytes]:
        """What is to be said, once."""
        unfollowed, self._unfollowed = self._unfollowed, []
        yield from _follows(list(dict.fromkeys(unfollowed)))
        unsaid, self._unsaid = self._unsaid, {}
        for name, is_open in unsaid.items():
            told: dict[str, object] = {"type": "breaker", "name": name[:MAX_WORDS], "state": "closed"}
            if is_open:
                left = self._open_until.get(name, now) - now
                if left <= 0:
                    continue
                told |= {"state": "open", "open_for": round(left, 3)}
            yield encoded(told) + b"\n"

    def heard(self, news: BreakerNews) -> None:
        for told in list(self._followed.get(news.name, ())):
            state = "open" if news.is_open else "closed"
            guarded.silently(lambda told=told, state=state: told(state, news.open_for))  # type: ignore[misc]


def _follows(names: list[str]) -> Iterator[bytes]:
    while names:
        some, names = names[:MAX_NAMES], names[MAX_NAMES:]
        line = encoded({"type": "follow", "names": some})
        if len(line) < MAX_LINE:
            yield line + b"\n"
        else:
            half = len(some) // 2
            yield from _follows(some[:half])
            yield from _follows(some[half:])
