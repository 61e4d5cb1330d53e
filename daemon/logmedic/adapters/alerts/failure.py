"""What a receiver's answer means: try again, later, or never.

Apprise only answers yes or no. In the worker the two ways out (requests, smtplib) are therefore watched, and what they
saw is judged here.
"""

from __future__ import annotations

import json
import re
import smtplib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import requests  # type: ignore[import-untyped,unused-ignore]

from logmedic.adapters.alerts.text import visible
from logmedic.model.alert import Delivery

RETRY_AFTER_MAX_S = 86400.0
_TRY_AGAIN = frozenset({408, 429})
_TELLS_WHEN = frozenset({429, 503})
_SLACK_TRANSIENT = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
)
_MAILBOX_FULL = 552
_WORD = re.compile(r"[a-z][a-z0-9_]{2,40}\Z")


@dataclass(frozen=True, slots=True)
class Failure:
    """`text` holds no part of a URL or of a request."""

    text: str
    permanent: bool = False
    retry_after_s: float | None = None


def delivery_of(failures: Sequence[Failure], said: str) -> Delivery:
    """A failed delivery. Permanent when every failure was: one of several targets may still be reachable. `said` is
    the reason where none was seen."""
    if not failures:
        return Delivery(False, said or "Apprise gave no reason")
    waits = [failure.retry_after_s for failure in failures if failure.retry_after_s is not None]
    return Delivery(
        False,
        failures[-1].text,
        permanent=all(failure.permanent for failure in failures),
        retry_after_s=max(waits, default=None),
    )


def of_response(status: int, headers: Mapping[str, str], body: bytes, now: datetime) -> Failure | None:
    """None for an answer that accepts. Slack's bot interface answers 200 for errors as well, with their name in the
    body. A redirect is final: what is posted would arrive nowhere, and a status of 200 would hide it."""
    refusal = _refusal(body)
    if status < 300:
        return Failure(f"refused: {refusal}", permanent=refusal not in _SLACK_TRANSIENT) if refusal else None
    wait = _retry_after(headers.get("Retry-After", ""), now) if status in _TELLS_WHEN else None
    permanent = status < 500 and status not in _TRY_AGAIN
    word = refusal or _word(body.decode("ascii", "replace"))
    return Failure(f"HTTP {status} {_phrase(status)}{f' ({word})' if word else ''}".strip(), permanent, wait)


def of_http_error(error: requests.RequestException) -> Failure:
    """The text of `error` is not used: it holds the path, which is the secret of a web hook."""
    if isinstance(error, ValueError):  # InvalidURL, InvalidSchema, MissingSchema
        return Failure(f"not an address that can be asked ({type(error).__name__})", permanent=True)
    cause = _system_error(error)
    words = cause.strerror if cause else ""
    return Failure(f"no answer: {words or type(error).__name__}")


def of_smtp_error(error: OSError) -> Failure:
    """5xx is for good, but for a full mailbox; and but for a greeting, by which servers turn away for other reasons."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            return of_refused(error.recipients)
        case smtplib.SMTPNotSupportedError():
            return Failure("SMTP: the server lacks what the receiver asks for (login or STARTTLS)", permanent=True)
        case smtplib.SMTPConnectError() | smtplib.SMTPHeloError():
            return Failure(_smtp_text(error.smtp_code, error.smtp_error))
        case smtplib.SMTPResponseException():
            return Failure(_smtp_text(error.smtp_code, error.smtp_error), permanent=_smtp_final(error.smtp_code))
        case _:
            return Failure(f"SMTP: {error.strerror or type(error).__name__}")


def of_refused(recipients: Mapping[str, tuple[int, bytes]]) -> Failure:
    """Permanent when each recipient was refused for good."""
    code, answer = next(iter(recipients.values()))
    return Failure(_smtp_text(code, answer), permanent=all(_smtp_final(each) for each, _ in recipients.values()))


def _smtp_final(code: int) -> bool:
    return code >= 500 and code != _MAILBOX_FULL


def _smtp_text(code: int, answer: bytes | str) -> str:
    words = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return f"SMTP {code} {visible(' '.join(words.split()))[:160]}"


def _refusal(body: bytes) -> str:
    """The error word of `{"ok": false, "error": "word"}`, or empty."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(answer, dict) or answer.get("ok") is not False:
        return ""
    return _word(str(answer.get("error", ""))) or "no reason given"


def _word(text: str) -> str:
    """`text` when it is an error's name, such as no_service or channel_is_archived: nothing else is repeated."""
    return text if _WORD.match(text) else ""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _retry_after(header: str, now: datetime) -> float | None:
    """Seconds from now, from a number of seconds or from a date; None for what is neither."""
    try:
        seconds = float(header) if header.strip().isdecimal() else _until(header, now)
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), RETRY_AFTER_MAX_S)


def _until(header: str, now: datetime) -> float:
    """Raises ValueError, OverflowError for what is no date."""
    then = parsedate_to_datetime(header)
    return ((then if then.tzinfo else then.replace(tzinfo=UTC)) - now).total_seconds()


def _system_error(error: BaseException) -> OSError | None:
    """The error of the system call under layers of wrapping (requests over urllib3 over socket)."""
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, OSError) and each.errno is not None and each.strerror:
            return each
        inner = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args)
        waiting += [cause for cause in inner if isinstance(cause, BaseException)]
    return None
