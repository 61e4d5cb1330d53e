"""Sessions of browsers: cookies that say who it is, signed, so that the daemon keeps nothing and may restart."""

from __future__ import annotations

import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import astuple, dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

LASTS = timedelta(hours=12)
TICKET_LASTS = timedelta(seconds=60)
MOST_ENDED, MOST_TICKETS = 100, 8
"""Of what each began with: nobody uses up what is there for others."""
LONGEST = 1024
"""Characters of a cookie."""
_VERSION = 1
_LABEL = b"logmedic dashboard sessions 1"


@dataclass(frozen=True, slots=True)
class Session:
    """`of`: what it was begun with, and what ends it when that is gone: `token:MARK` or `user:UID:GID`. `began`,
    `until`: seconds since the epoch. `at`: the user of this host whose process was at the other end then; None: the
    kernel did not say. Browsers send a cookie to every port of a host, whoever listens there."""

    id: str
    name: str
    may_act: bool
    of: str
    began: int
    until: int
    at: int | None = None


def session_key(key: bytes) -> bytes:
    """Of the key of the state directory (linkkey.py): what signs links signs no session (HKDF-Expand of RFC 5869)."""
    return hmac.new(key, _LABEL + b"\x01", sha256).digest()


class Sessions:
    """Signed by `key`. Those that were signed out are remembered until they would end by themselves; beyond MOST_ENDED
    of one token or user, all that began with it before now end. A restart forgets them: a cookie that was copied before
    its owner signed out works until its twelve hours are over."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._ended: dict[str, dict[str, int]] = {}
        self._not_before: dict[str, int] = {}

    def begin(self, name: str, may_act: bool, of: str, now: datetime, at: int | None = None) -> Session:
        began = int(now.timestamp())
        return Session(secrets.token_urlsafe(12), name, may_act, of, began, began + int(LASTS.total_seconds()), at)

    def written(self, session: Session) -> str:
        """Its cookie: letters, digits, `-`, `_` and a dot."""
        content = _packed(json.dumps([_VERSION, *astuple(session)], separators=(",", ":")).encode())
        return f"{content}.{self._signature(content)}"

    def read(self, cookie: str, now: datetime) -> Session | None:
        """None: it is not of this daemon, or over."""
        content, dot, signature = cookie.partition(".")
        if not dot or len(cookie) > LONGEST or not cookie.isascii():
            return None
        if not hmac.compare_digest(signature, self._signature(content)):
            return None
        session = _session(content)
        return session if session is not None and self._goes_on(session, int(now.timestamp())) else None

    def _goes_on(self, session: Session, now: int) -> bool:
        ended, not_before = self._ended.get(session.of, {}), self._not_before.get(session.of, 0)
        return now < session.until and session.began >= not_before and session.id not in ended

    def end(self, session: Session, now: datetime) -> None:
        at = int(now.timestamp())
        ended = {each: until for each, until in self._ended.get(session.of, {}).items() if at < until}
        if len(ended) >= MOST_ENDED:
            ended, self._not_before[session.of] = {}, at + 1
        self._ended[session.of] = {**ended, session.id: session.until}

    def csrf(self, session: Session) -> str:
        """What forms of its pages bring back: no other site can know it."""
        return hmac.new(self._key, f"csrf:{session.id}".encode(), sha256).hexdigest()

    def _signature(self, content: str) -> str:
        return _packed(hmac.new(self._key, f"session:{content}".encode(), sha256).digest())


def _session(content: str) -> Session | None:
    """Of what we have signed ourselves, perhaps in another version."""
    try:
        version, *values = json.loads(urlsafe_b64decode(content + "=" * (-len(content) % 4)))
        return Session(*values) if version == _VERSION else None
    except (ValueError, TypeError):
        return None


def _packed(content: bytes) -> str:
    return urlsafe_b64encode(content).decode("ascii").rstrip("=")


@dataclass(frozen=True, slots=True)
class Ticket:
    """Opens the door once, for who has it. `of`: as of Session."""

    name: str
    may_act: bool
    of: str
    until: datetime


@dataclass(slots=True)
class Tickets:
    """By their hash: what stands in memory opens nothing."""

    _known: dict[str, Ticket] = field(default_factory=dict)

    def issue(self, name: str, may_act: bool, of: str, now: datetime) -> tuple[str, Ticket]:
        """Of many of one `of` that nobody takes, the oldest go."""
        secret, ticket = secrets.token_urlsafe(32), Ticket(name, may_act, of, now + TICKET_LASTS)
        self._known = {key: each for key, each in self._known.items() if now < each.until}
        mine = [key for key, each in self._known.items() if each.of == of]
        for key in mine[: max(0, len(mine) - MOST_TICKETS + 1)]:
            del self._known[key]
        self._known[_key(secret)] = ticket
        return secret, ticket

    def seen(self, secret: str, now: datetime) -> Ticket | None:
        """Without using it up."""
        found = self._known.get(_key(secret))
        return found if found is not None and now < found.until else None

    def take(self, secret: str, now: datetime) -> Ticket | None:
        found = self.seen(secret, now)
        self._known.pop(_key(secret), None)
        return found


def _key(secret: str) -> str:
    return sha256(secret.encode("utf-8", "replace")).hexdigest()
