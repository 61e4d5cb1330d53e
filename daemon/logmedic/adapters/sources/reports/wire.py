"""What both sides say besides reports, answers and breakers: how it begins, and what is not taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from logmedic import __version__
from logmedic.core.reports import ID, MAX_LINE, BadReport, parsed

HELLO = {"type": "hello", "protocol": 1, "version": __version__}


def refused(report_id: str, reason: str, text: str, hint: str, retry_after: float) -> dict[str, Any]:
    """As it is sent; `retry_after` 0: to send the same again is of no use."""
    told = {"type": "refused", "id": report_id, "reason": reason, "error": text, "hint": hint}
    return {**told, "retry_after": round(retry_after, 3)} if retry_after else told


def object_of(line: bytes | None) -> dict[str, Any]:
    """The object of a line; None: it was too long. Raises BadReport."""
    if line is None:
        raise BadReport("size", f"a line has at most {MAX_LINE} bytes", "cut the traceback")
    return parsed(line)


def id_of(told: Mapping[str, Any]) -> str:
    """Of a report that is not looked at further."""
    found = told.get("id")
    return found if isinstance(found, str) and ID.match(found) else ""
