"""`reports`: where applications of this host report their errors."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field, field_validator

from logmedic.settings.parts import Part
from logmedic.settings.places import REPORT_SOCKET

_GROUP = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}\Z", re.ASCII)


class Reports(Part):
    """Each report is a record of the source `reports`, and rules may listen to it."""

    enabled: bool = True
    """Make the socket at all."""
    socket: Path | None = None
    """Default: report.sock, beside web.socket."""
    group: str = ""
    """Who may report: users of this group, and root. Default: every user of this host."""
    max_per_second: int = Field(default=100, ge=1, le=10_000)
    """Reports of one user; more are refused, counted, and sent again later by logmedic.client."""
    burst: int = Field(default=1000, ge=1, le=100_000)
    """So many at once, after a pause."""

    @field_validator("socket")
    @classmethod
    def _is_absolute(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_absolute():
            raise ValueError(f"`{path}` is no absolute path; write /run/logmedic/{REPORT_SOCKET}, from the root on")
        return path

    @field_validator("group")
    @classmethod
    def _is_a_group(cls, name: str) -> str:
        if name and not _GROUP.match(name):
            raise ValueError(f"`{name[:40]}` is no name of a group; write it without an @: apps")
        return name
