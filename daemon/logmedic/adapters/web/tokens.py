"""Tokens: what programs send to come in over TCP. At rest there are only their hashes."""

from __future__ import annotations

import hmac
import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

import structlog

from logmedic.adapters.web.parameters import TooOften, Unauthorized

log = structlog.get_logger("logmedic.web")

PREFIX = "lm_"
"""So that a token that got into the wrong place is recognised as one."""
BYTES = 32
"""Of chance: nobody guesses one, so that a plain hash is enough at rest, and no salt is needed."""
LONGEST = 200
WRONG_MAX = 10
"""In PER, from everybody: more are not told apart any more. A right token is never refused for the wrong ones of
others: nobody can lock others out, and 256 bits are not found by trying."""
PER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Token:
    """`sha256`: of the token, in hex. `expires`: the first moment at which it opens nothing."""

    name: str
    may_act: bool
    sha256: str
    expires: datetime | None = None

    @property
    def mark(self) -> str:
        """Changes when anything changes that a session begun with it depends on."""
        return f"{self.name}:{self.sha256[:16]}:{'act' if self.may_act else 'read'}"

    def is_valid(self, now: datetime) -> bool:
        return self.expires is None or now < self.expires


def new_token() -> str:
    return PREFIX + secrets.token_urlsafe(BYTES)


def hashed(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()


@dataclass(slots=True)
class Tokens:
    """Those of the config. `wrong`: when something was sent that is none of them, in the last minute."""

    known: Sequence[Token]
    wrong: deque[datetime] = field(default_factory=lambda: deque(maxlen=WRONG_MAX))
    _told_at: datetime | None = None
    _untold: int = 0

    def of(self, sent: str, now: datetime) -> Token:
        """Raises Unauthorized; TooOften when there were many wrong ones lately."""
        found = self._found(sent)
        if found is not None and found.is_valid(now):
            return found
        self._note(now)
        if len(self.wrong) == WRONG_MAX and now - self.wrong[0] < PER:
            raise TooOften("too many wrong tokens were sent", "wait a minute")
        self.wrong.append(now)
        if found is not None:
            raise Unauthorized(f"the token {found.name} has expired", f"logmedic token new {found.name}")
        raise Unauthorized("this token is not known here", "logmedic token list shows which are")

    def marked(self, mark: str, now: datetime) -> Token | None:
        """The one that a session began with, if it still opens this door."""
        return next((each for each in self.known if each.mark == mark and each.is_valid(now)), None)

    def _found(self, sent: str) -> Token | None:
        """Takes as long for any: each is compared, and none is left at its first wrong letter."""
        told = hashed(sent[:LONGEST])
        found = [each for each in self.known if hmac.compare_digest(told, each.sha256)]
        return found[0] if found else None

    def _note(self, now: datetime) -> None:
        """A line a minute, however many there are."""
        self._untold += 1
        if self._told_at is None or now - self._told_at >= PER:
            log.warning("tokens_refused", count=self._untold)
            self._told_at, self._untold = now, 0
