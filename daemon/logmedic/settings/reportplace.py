"""What the report socket needs for itself alone: its path, and the name of its source."""

from __future__ import annotations

from collections.abc import Iterator

from logmedic.core.reportmatch import SOURCE
from logmedic.settings.form import Settings
from logmedic.settings.mistakes import Said
from logmedic.settings.places import REPORT_SOCKET


def taken_twice(settings: Settings) -> Iterator[Said]:
    if not settings.reports.enabled:
        return
    if SOURCE in settings.sources:
        text = f"`{SOURCE}` is the name of the source of the report socket"
        yield ("sources", SOURCE), text, "name this source otherwise, or write reports: { enabled: false }"
    if settings.report_socket == settings.web.socket:
        text = "this is web.socket, where commands are answered"
        yield ("reports", "socket"), text, f"write {settings.web.socket.with_name(REPORT_SOCKET)}"
    for name, each in settings.sources.items():
        if each.syslog is not None and each.syslog.unix == settings.report_socket:
            hint = f"name another path, or write reports: {{ socket: /run/{REPORT_SOCKET} }}"
            yield ("sources", name, "syslog", "unix"), "this is where applications report (reports.socket)", hint
