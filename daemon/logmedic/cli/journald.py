"""The journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): an entry is a datagram of fields."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import socket
import struct
from collections.abc import Mapping
from pathlib import Path

SOCKET = Path("/run/systemd/journal/socket")
IDENTIFIER = "logmedic"
PREFIX = "LOGMEDIC_"
PRIORITIES = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}
"""sd-daemon(3): what journalctl -p asks for."""
MAX_VALUE_BYTES = 4096
"""Of a field beside MESSAGE, which has the whole: fields are there to be asked for."""
PATIENCE_S = 0.5
"""How long a journald that takes nothing is waited for."""
_MAX_NAME = 64
"""The journal drops fields with longer names, and those with other characters."""
_NOT_OF_A_NAME = re.compile(r"[^A-Z0-9_]")
_LENGTH = struct.Struct("<Q")
_TOO_LARGE = (errno.EMSGSIZE, errno.ENOBUFS)
_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


def entry(level: str, line: str, fields: Mapping[str, object]) -> dict[str, bytes]:
    """The fields of one entry: `line` is its message, `fields` the event and what it is about."""
    own = {
        "MESSAGE": _bytes(line),
        "PRIORITY": str(PRIORITIES.get(level, 6)).encode(),
        "SYSLOG_IDENTIFIER": IDENTIFIER.encode(),
    }
    return own | {field_name(name): _bytes(_text(value))[:MAX_VALUE_BYTES] for name, value in fields.items()}


def field_name(name: str) -> str:
    """A name that the journal takes."""
    return (PREFIX + _NOT_OF_A_NAME.sub("_", name.upper()))[:_MAX_NAME]


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape" if _is_of_bytes(text) else "replace")


def _is_of_bytes(text: str) -> bool:
    """Its lone surrogates, if any, stand for bytes of a file name, and for nothing else."""
    return all("\udc80" <= each <= "\udcff" for each in text if "\ud800" <= each <= "\udfff")


def serialised(fields: Mapping[str, bytes]) -> bytes:
    """Always in the form with a length: no value can pretend to be another field."""
    return b"".join(
        name.encode("ascii") + b"\n" + _LENGTH.pack(len(value)) + value + b"\n" for name, value in fields.items()
    )


def send(content: bytes, path: Path = SOCKET) -> None:
    """To journald, wherever it was started again since. Raises OSError (TimeoutError is one) when it was not taken."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.settimeout(PATIENCE_S)
        try:
            wire.sendto(content, str(path))
        except OSError as error:
            if error.errno not in _TOO_LARGE:
                raise
            _send_by_descriptor(wire, content, path)


def _send_by_descriptor(wire: socket.socket, content: bytes, path: Path) -> None:
    """What no datagram holds: a sealed file in memory, and a datagram of nothing but its descriptor."""
    descriptor = os.memfd_create("logmedic-entry", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", descriptor))
        wire.sendmsg([b""], [rights], 0, str(path))  # socket.send_fds forgets the address (Python 3.11)
    finally:
        os.close(descriptor)
