"""What the log of the application hears of a failed request: one ERROR, by the logger `logmedic.client`, with the
request's id in its words, for those who have no RequestIdFilter."""

from __future__ import annotations

import logging

from logmedic.client.breaker import CircuitOpen

LOG = logging.getLogger("logmedic.client")
LONGEST = 200


def shown(text: str) -> str:
    """A caller's text on one line: control characters and all that is not ASCII as escapes, cut at 200 characters."""
    return text[:LONGEST].encode("unicode_escape").decode("ascii")[:LONGEST]


def failed(error: BaseException, action: str, request_id: str, *, traceback: bool) -> None:
    """`action`: already `shown`. `traceback`: where nobody else will log it, as whoever catches what is raised does."""
    told = error if traceback and not isinstance(error, CircuitOpen) else None  # an open breaker has no place of error
    LOG.error("%s failed with %s (request %s)", action, type(error).__name__, request_id, exc_info=told)


def repeated(action: str, request_id: str) -> None:
    LOG.info("%s succeeded when it was repeated after a fix (request %s)", action, request_id)
