"""`sources`: where lines come from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from logmedic.core.framing import Framing
from logmedic.settings.parts import Duration, Part, Words

SYSLOG_FILES = (Path("/var/log/syslog"), Path("/var/log/messages"))
AUTH_FILES = (Path("/var/log/auth.log"), Path("/var/log/secure"))
PortNumber = Annotated[int, Field(ge=1, le=65535)]


class JournalSource(Part):
    """The systemd journal; without anything below, all of it."""

    units: Words | None = None
    """Only these units: nginx.service; a pattern (app-*.service) is allowed."""
    identifiers: Words | None = None
    """Only these syslog identifiers: sshd, kernel."""
    directory: Path | None = None
    """Journal files from elsewhere: /var/log/journal/remote."""


class SyslogSource(Part):
    """Listens for syslog messages (RFC 3164, RFC 5424)."""

    udp: PortNumber | None = None
    tcp: PortNumber | None = None
    """Messages end with a newline, or begin with their length (octet counting)."""
    unix: Path | None = None
    """A datagram socket that is made here: /run/logmedic/log."""
    address: str = "127.0.0.1"
    """Who can reach the address can write log lines: nothing but loopback unless you set another."""

    @model_validator(mode="after")
    def _listens(self) -> Self:
        if self.udp is None and self.tcp is None and self.unix is None:
            raise ValueError("it listens nowhere; name a port with `udp` or `tcp`, or a path with `unix`")
        return self


class Multiline(Part):
    """Which lines belong together; stack traces are known without this."""

    start: str = ""
    """A line that matches begins a record; every other continues it."""
    continues: str = Field(default="", alias="continue")
    """A line that matches belongs to the one before."""

    @model_validator(mode="after")
    def _compiles(self) -> Self:
        if not self.start and not self.continues:
            raise ValueError("it names neither `start` nor `continue`")
        self.framing()
        return self

    def framing(self) -> Framing:
        return Framing(self.start, self.continues)


class VersionSettings(Part):
    """Where the version of what writes to a source is told: one of field and file."""

    field: str = Field(default="", max_length=100)
    """Of a record that names it (JSON, logfmt, the journal): release."""
    file: Path | None = None
    """Its first line is the version: /srv/shop/VERSION."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if bool(self.field) == (self.file is not None):
            said = "`field` and `file`" if self.field else "nothing"
            raise ValueError(f"it names {said}; name one of field, file")
        if self.file is not None and not self.file.is_absolute():
            raise ValueError(f"`{self.file}` is no absolute path; write /srv/shop/VERSION, from the root on")
        return self


class SourceSettings(Part):
    """One of files, journal, command and syslog says where the lines come from."""

    files: Words | None = None
    """Globs of the files to follow; expanded again while running."""
    journal: JournalSource | None = None
    """Read the systemd journal: `journal: {}` for all of it."""
    command: Words | None = None
    """A program and its arguments, whose output is read; started again when it ends."""
    syslog: SyslogSource | None = None
    from_start: bool = False
    """Read what is there already, when a file or the journal is met for the first time."""
    optional: bool = False
    """Files that are not there are nothing to be told of."""
    quiet_after: Duration | None = None
    """Call people when no line came for so long."""
    multiline: Multiline | None = None
    """Not with syslog, where each message is a record."""
    version: VersionSettings | None = None
    """Who knows which version runs is told when an issue comes back with a new one."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = [name for name in ("files", "journal", "command", "syslog") if getattr(self, name) is not None]
        if len(kinds) != 1:
            said = " and ".join(f"`{name}`" for name in kinds) or "nothing"
            raise ValueError(f"it names {said}; name one of files, journal, command, syslog")
        if self.syslog is not None and self.multiline is not None:
            raise ValueError("`multiline` has no effect on `syslog`: each message is a record of its own; leave it out")
        return self


def usual_sources() -> dict[str, SourceSettings]:
    """Where the log of a host usually is: in files, or in the journal where nobody writes it to files. What services
    write elsewhere, rule packs know. It depends on the files that are there now, and in the middle of a rotation one is
    not: to be asked once a run."""
    usual = {"syslog": SYSLOG_FILES, "auth": AUTH_FILES}
    sources = {name: SourceSettings(files=_first_there(paths), optional=True) for name, paths in usual.items()}
    if not any(path.exists() for path in SYSLOG_FILES):  # else the same lines would come twice
        sources["journal"] = SourceSettings(journal=JournalSource())
    return sources


def _first_there(paths: Sequence[Path]) -> tuple[str, ...]:
    """Where two of them are written, they have the same lines. Where none is, whichever comes is meant."""
    there = [str(path) for path in paths if path.exists()]
    return tuple(there[:1] or map(str, paths))
