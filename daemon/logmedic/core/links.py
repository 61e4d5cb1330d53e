"""Links of messages: an address that lets whoever has it do one thing about one incident, until it expires.

A token is base64url, without padding, of: the version and the purpose (4 bits each), the POSIX second at which it
expires (4 bytes), the ask (8 bytes), the incident (its 16 bytes as a UUID behind a zero, or its length and its UTF-8),
the receiver (UTF-8), and the first 16 bytes of an HMAC-SHA256 over all that. A forger has one chance in 2^128 a try.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from uuid import UUID

from logmedic.model.alert import LinkPlan
from logmedic.model.errors import PermanentError
from logmedic.model.issue import IDLE, HoldReason, Incident
from logmedic.model.message import Link

PATH = "/a/"
"""Between LinkPlan.url and the token."""
LONGEST_RECEIVER = 64
"""Characters of its name in a token: it is there for people to read."""
LONGEST_TOKEN = 1024
_VERSION = 1
_SIGNED_AS = b"logmedic link"
"""So that nothing else that is ever signed with the key can be taken for a link."""
_MAC, _ASK, _HEAD = 16, 8, 13
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Purpose(StrEnum):
    """What a link is for. Tokens have its place in this order: a new one comes last."""

    VIEW = "view"
    APPROVE = "approve"
    REJECT = "reject"
    ACK = "acknowledge"
    SILENCE = "silence"


ANSWERS = frozenset({Purpose.APPROVE, Purpose.REJECT})
"""They answer one request, and nothing after it."""
ALLOWED = {
    Purpose.VIEW: frozenset[Purpose](),
    Purpose.APPROVE: ANSWERS,  # whoever may say yes may also say no
    Purpose.REJECT: frozenset({Purpose.REJECT}),
    Purpose.ACK: frozenset({Purpose.ACK}),
    Purpose.SILENCE: frozenset({Purpose.SILENCE}),
}
"""What can be done with a link of each purpose; looking is always allowed."""
_LABELS = {
    Purpose.VIEW: "Open",
    Purpose.APPROVE: "Approve",
    Purpose.REJECT: "Reject",
    Purpose.ACK: "Acknowledge",
    Purpose.SILENCE: "Silence",
}
_NUMBERS = {purpose: number for number, purpose in enumerate(Purpose)}


class LinkRefused(PermanentError):
    """A link that opens nothing."""


class LinkForged(LinkRefused):
    """It was never made here, not with this key, or it was cut or altered on its way."""


class LinkExpired(LinkRefused):
    """It was made here, and its time is over."""


@dataclass(frozen=True, slots=True)
class Claims:
    """`expires_at` in whole seconds, UTC. `receiver`: whom the link was sent to. `ask`: of ask_of; empty for what
    answers no request."""

    purpose: Purpose
    incident_id: str
    receiver: str
    expires_at: datetime
    ask: str = ""


def ask_of(incident: Incident) -> str:
    """Of the approval that it waits for, 16 hexadecimal digits: another one for every request, and for every fix that
    is asked about. Empty: it waits for none."""
    if incident.status not in IDLE or incident.hold is not HoldReason.AWAITING_APPROVAL or incident.due_at is None:
        return ""
    told = f"{incident.id}\0{incident.fix}\0{(incident.due_at - _EPOCH) // timedelta(microseconds=1)}"
    return blake2b(told.encode(), digest_size=_ASK).hexdigest()


def of_incident(plan: LinkPlan, incident: Incident, receiver: str, now: datetime) -> tuple[Link, ...]:
    """Those that a message to `receiver` about an open incident has, what is most wanted first."""
    ask, ends = ask_of(incident), now + plan.lasts
    answers = (Purpose.APPROVE, Purpose.REJECT) if ask else ()
    made = [Claims(each, incident.id, receiver, incident.due_at or ends, ask) for each in answers]
    made += [Claims(each, incident.id, receiver, ends) for each in (Purpose.VIEW, Purpose.ACK, Purpose.SILENCE)]
    return tuple(Link(_LABELS[each.purpose], sign(plan, each)) for each in made)


def sign(plan: LinkPlan, claims: Claims) -> str:
    """The address. Raises ValueError for claims that do not fit into a token."""
    told = _packed(claims)
    token = base64.urlsafe_b64encode(told + _mac(plan.key, told)).rstrip(b"=").decode()
    return f"{plan.url}{PATH}{token}"


def verify(key: bytes, token: str, now: datetime) -> Claims:
    """Raises LinkForged, LinkExpired. What it costs does not depend on how much of a token is right."""
    told = _unsigned(key, token)
    if told is None:
        raise LinkForged("this is no link of this daemon", "open the link of the newest message, the whole of it")
    claims = _unpacked(told)
    if now >= claims.expires_at:
        short = claims.incident_id[-8:]
        raise LinkExpired(
            f"this link expired at {claims.expires_at:%Y-%m-%d %H:%M:%S} UTC",
            f"open the link of a newer message, or type on the host: logmedic show {short}",
        )
    return claims


def _unsigned(key: bytes, token: str) -> bytes | None:
    """What was signed, or None."""
    if len(token) > LONGEST_TOKEN or not token.isascii():
        return None
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    told, mac = raw[:-_MAC], raw[-_MAC:]
    whole = base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == token  # of bits that nothing uses there is one form
    return told if hmac.compare_digest(mac, _mac(key, told)) and whole and len(told) > _HEAD else None


def _mac(key: bytes, told: bytes) -> bytes:
    return hmac.digest(key, _SIGNED_AS + told, "sha256")[:_MAC]


def _packed(claims: Claims) -> bytes:
    seconds = (claims.expires_at - _EPOCH) // timedelta(seconds=1)
    head = bytes([_VERSION << 4 | _NUMBERS[claims.purpose]]) + seconds.to_bytes(4, "big")
    if len(ask := bytes.fromhex(claims.ask)) not in (0, _ASK):
        raise ValueError(f"an ask of {len(ask)} bytes")
    incident = claims.incident_id.encode()
    if _UUID.fullmatch(claims.incident_id):
        named = b"\0" + UUID(claims.incident_id).bytes
    elif 0 < len(incident) < 256:
        named = bytes([len(incident)]) + incident
    else:
        raise ValueError(f"the id of an incident of {len(incident)} bytes")
    return head + ask.rjust(_ASK, b"\0") + named + claims.receiver[:LONGEST_RECEIVER].encode()


def _unpacked(told: bytes) -> Claims:
    """Of what `_packed` wrote: nothing else has its signature."""
    version, purpose = divmod(told[0], 16)
    if version != _VERSION:
        raise LinkForged("this link is of another version of logmedic", "open the link of a newer message")
    ask, size = told[5:_HEAD], told[_HEAD]
    at = _HEAD + 1
    end = at + (size or 16)
    return Claims(
        purpose=tuple(Purpose)[purpose],
        incident_id=told[at:end].decode() if size else str(UUID(bytes=told[at:end])),
        receiver=told[end:].decode(),
        expires_at=_EPOCH + timedelta(seconds=int.from_bytes(told[1:5], "big")),
        ask=ask.hex() if any(ask) else "",
    )
