"""The systemd unit: installed, enabled, not failed; and what tells people when it fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from logmedic.cli.doctor.finding import Finding, unknown, warning, well, wrong
from logmedic.cli.doctor.host import Daemon
from logmedic.cli.systemdunit import Unit, unit_of
from logmedic.settings.places import SYSTEM_CREDENTIALS

TELLER = "logmedic-failed.service"
PATH, ARMING = "logmedic-fixes.path", "logmedic-fixes.service"
_INSTALL = "sudo logmedic install"


def of_unit(unit: Unit, daemon: Daemon | None) -> Iterator[Finding]:
    if not unit.booted:
        yield unknown("unit", "systemd does not run this host: see to it that something starts the daemon again")
        return
    if not unit.shown:
        yield unknown("unit", "systemctl does not answer", "systemctl status logmedic")
        return
    if not unit.is_installed:
        yield warning("unit", "logmedic.service is not installed: nothing starts the daemon again", _INSTALL)
        return
    yield from _of_installed(unit, daemon)


def _of_installed(unit: Unit, daemon: Daemon | None) -> Iterator[Finding]:
    shown = unit.shown
    state = f"{shown.get('ActiveState', '?')} ({shown.get('SubState', '?')})"
    ended = f", it ended with {shown.get('Result', '?')} {shown.get('ExecMainStatus', '')}".rstrip()
    if shown.get("ActiveState") == "failed":
        repair = "journalctl -u logmedic -n 50; systemctl reset-failed logmedic; systemctl start logmedic"
        yield wrong("unit", f"{state}{ended}", repair)
    elif not unit.is_active:
        beside = f"; the process {daemon.pid} runs without it" if daemon is not None else ""
        yield warning("unit", f"{state}{beside}", "systemctl start logmedic")
    else:
        restarts = int(shown.get("NRestarts") or 0)
        again = f", started again {restarts} times" if restarts else ""
        yield well("unit", f"{state}{again}") if restarts < 3 else warning("unit", f"{state}{again}", _LOG)
    if shown.get("UnitFileState") not in ("enabled", "enabled-runtime", "static", "indirect"):
        yield warning("unit", "it does not start with the host", "systemctl enable logmedic")
    if shown.get("NeedDaemonReload") == "yes":
        yield warning("unit", "its file changed since systemd read it", "systemctl daemon-reload")


def of_teller(teller: Unit, unit: Unit) -> Iterator[Finding]:
    if unit.is_installed and not teller.is_installed:
        yield warning("unit", f"{TELLER} is not installed: nobody is told when the daemon cannot run", _INSTALL)
    elif teller.is_installed and teller.user != unit.user:
        said = f"{TELLER} runs as {teller.user}, and the daemon as {unit.user}: give both the same User= and Group="
        yield warning("unit", said, f"systemctl edit {TELLER}")


def of_credentials(directory: Path = SYSTEM_CREDENTIALS) -> Iterator[Finding]:
    """The units load all that is in it, and start without none of it, but not without the directory."""
    if not directory.is_dir():
        said = f"{directory} is missing: neither the daemon starts, nor who tells people so (243/CREDENTIALS)"
        yield wrong("unit", said, "systemd-tmpfiles --create logmedic.conf")


def of_arming(path: Unit, arming: Unit) -> Iterator[Finding]:
    """Whether rules that change are armed by themselves, and whether the last time went well."""
    if arming.shown.get("ActiveState") == "failed":
        yield warning("rules armed", "what rules may run was not installed the last time", _ARMING_LOG)
    elif path.is_active:
        yield well("rules armed", "fixes of rules that change are installed by themselves")
    else:
        yield well("rules armed", f"{PATH} is off: after rules changed, type: sudo logmedic install fixes")


def look(unit: Unit, daemon: Daemon | None) -> Iterator[Finding]:
    yield from of_unit(unit, daemon)
    if unit.is_installed:
        yield from of_credentials()
        yield from of_teller(unit_of(TELLER), unit)
        yield from of_arming(unit_of(PATH), unit_of(ARMING))


_LOG = "journalctl -u logmedic -n 50"
_ARMING_LOG = "journalctl -u logmedic-fixes -n 20; sudo logmedic install fixes"
