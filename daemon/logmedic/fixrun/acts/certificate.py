"""`renew`: runs a command when a certificate is about to end (model.step.RenewCertificate)."""

from __future__ import annotations

import base64
import binascii
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from logmedic.fixrun.acts.words import Unreached, age, shown

LONGEST = 1024 * 1024
"""Bytes of a file of certificates that are looked at."""
_PEM = re.compile(rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----(.+?)-----END (?:TRUSTED )?CERTIFICATE-----", re.DOTALL)
_SEQUENCE, _VERSION, _UTC_TIME, _TIME = 0x30, 0xA0, 0x17, 0x18


def renew(asked: Mapping[str, Any], *, dry: bool, now: float) -> None:
    """`asked`: the fields of RenewCertificate. Raises Unreached."""
    file, at = asked["file"], datetime.fromtimestamp(now, UTC)
    ends = end_of(file)
    print(f"{file} ends {ends:%Y-%m-%d %H:%M} UTC, {_told(ends - at)}")
    if ends - at > timedelta(seconds=asked["before"]):
        print("it is not due")
        return
    print(f"{'would run' if dry else 'running'}: {' '.join(map(shown, asked['argv']))}", flush=True)
    if dry:
        return
    try:
        ran = subprocess.run(asked["argv"], stdin=subprocess.DEVNULL, check=False)
    except OSError as error:
        raise Unreached(f"{asked['argv'][0]} cannot be run: {error.strerror}") from None
    if ran.returncode != 0:
        raise Unreached(f"{asked['argv'][0]} failed (exit {ran.returncode})")
    renewed = end_of(file)
    if renewed <= ends:
        raise Unreached(f"{file} still ends {renewed:%Y-%m-%d %H:%M} UTC")
    print(f"{file} ends {renewed:%Y-%m-%d %H:%M} UTC now")


def _told(left: timedelta) -> str:
    seconds = left.total_seconds()
    return f"in {age(seconds)}" if seconds > 0 else f"{age(-seconds)} ago"


def end_of(path: str) -> datetime:
    """`notAfter` of the first certificate in it, which is the server's own. Raises Unreached."""
    try:
        with open(path, "rb") as file:
            text = file.read(LONGEST)
    except OSError as error:
        raise Unreached(f"{path}: {error.strerror}") from None
    found = _PEM.search(text)
    if found is None:
        raise Unreached(f"{path} holds no certificate (PEM)")
    try:
        return not_after(base64.b64decode(b"".join(found[1].split()), validate=True))
    except (ValueError, IndexError, binascii.Error):
        raise Unreached(f"{path} holds a certificate that cannot be read") from None


def not_after(der: bytes) -> datetime:
    """Of an X.509 certificate in DER (RFC 5280, 4.1). Raises ValueError, IndexError."""
    certificate, _ = _value(der, _SEQUENCE)
    body, _ = _value(certificate, _SEQUENCE)
    if body[0] == _VERSION:
        body = _after(body)
    for _ in ("serial number", "signature", "issuer"):
        body = _after(body)
    validity, _ = _value(body, _SEQUENCE)
    return _time(_after(validity))


def _value(der: bytes, tag: int) -> tuple[bytes, bytes]:
    """Of the first element, which has to have that tag; and what follows it."""
    if der[0] != tag:
        raise ValueError(f"tag {der[0]:#x} where {tag:#x} belongs")
    start, length = 2, der[1]
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start])
    if start + length > len(der):
        raise ValueError("it is cut off")
    return der[start : start + length], der[start + length :]


def _after(der: bytes) -> bytes:
    """What follows the first element."""
    return _value(der, der[0])[1]


def _time(der: bytes) -> datetime:
    """UTCTime has two digits of the year: 50 and more are of the last century."""
    text, _ = _value(der, _UTC_TIME if der[0] == _UTC_TIME else _TIME)
    digits = text.decode("ascii")
    if der[0] == _UTC_TIME:
        digits = ("19" if int(digits[:2]) >= 50 else "20") + digits
    return datetime.strptime(digits, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
