"""What goes into the bundle: each part a function that makes a value or a text, before anything is masked."""

from __future__ import annotations

import json
import os
import platform
import resource
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logmedic.cli.programs import lines_of

if TYPE_CHECKING:
    from logmedic.cli.context import Context
    from logmedic.settings import Settings

ASKED = ("status", "sources", "counts", "stats", "storage", "figures")
"""Of the daemon, when one answers."""
ENTRIES = 300
ASK_S = 10.0
_KEPT = ("id", "rule_id", "status", "severity", "hold", "occurrences", "opened_at", "last_match_at", "escalated")
"""Of an incident: what it is about is not asked."""
_LIMITS = ("NOFILE", "NPROC", "MEMLOCK", "AS", "FSIZE")


def versions() -> dict[str, Any]:
    from logmedic import __version__
    from logmedic.cli.doctor.python import WHEELS

    return {
        "logmedic": __version__,
        "python": platform.python_version(),
        "wheels": {name: _version(name) for name in sorted(WHEELS.values())},
        "programs": {name: _said(name, "--version") for name in ("systemctl", "bwrap", "journalctl")},
    }


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


def _said(program: str, *arguments: str) -> str:
    """The first line of what it prints."""
    found = shutil.which(program)
    return next(iter(lines_of([found, *arguments], ASK_S)), "") if found else "not installed"


def host(env: Mapping[str, str]) -> dict[str, Any]:
    from logmedic.cli.bugreport.masking import environment_names

    kernel = os.uname()
    return {
        "kernel": f"{kernel.sysname} {kernel.release} {kernel.machine}",
        "distribution": distribution(),
        "container": _first_line(Path("/run/systemd/container")),
        "processors": os.cpu_count(),
        "memory": _memory(),
        "limits": {name: list(resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))) for name in _LIMITS},
        "inotify": {each.name: _first_line(each) for each in sorted(Path("/proc/sys/fs/inotify").glob("*"))},
        "uid": os.geteuid(),
        "environment": list(environment_names(env)),
    }


def distribution(file: Path = Path("/etc/os-release")) -> str:
    try:
        pairs = dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
    except OSError:
        return "unknown"
    return pairs.get("PRETTY_NAME", "unknown").strip('"')


def _first_line(path: Path) -> str:
    try:
        return path.read_text().partition("\n")[0]
    except OSError:
        return ""


def _memory() -> list[str]:
    try:
        return Path("/proc/meminfo").read_text().splitlines()[:3]
    except OSError:
        return []


def diagnosis(context: Context) -> list[dict[str, Any]]:
    from logmedic.cli.doctor.command import examined

    return [asdict(each) for found in examined(context) for each in found]


def config(context: Context) -> dict[str, Any]:
    """What is in force, or what keeps it from loading."""
    from logmedic.cli.doctor.config import mistakes_of
    from logmedic.model.errors import ConfigInvalid

    try:
        return context.settings.model_dump(mode="json")
    except ConfigInvalid as invalid:
        return {"mistakes": mistakes_of(invalid.text)}


def rules(settings: Settings) -> dict[str, Any]:
    """Which files there are, with the hash of each, and which rules."""
    from logmedic.rulesets import make_rule_loader

    ruleset = make_rule_loader(settings, prove=False).load()
    ids: dict[str, list[str]] = {}
    for rule in ruleset.rules:
        ids.setdefault(rule.file, []).append(rule.id)
    return {
        "revision": ruleset.revision,
        "problems": [f"{each.file}:{each.line}: {each.text}" for each in ruleset.problems],
        "files": [{"file": each, "sha256": _hash(Path(each)), "rules": ids.get(each, [])} for each in ruleset.files],
    }


def _hash(path: Path) -> str:
    try:
        return f"sha256:{sha256(path.read_bytes()).hexdigest()}"
    except OSError:
        return "cannot be read"


def own_rules(settings: Settings) -> Iterator[tuple[str, str]]:
    """The operator's rule files, by name: those that are not shipped."""
    from logmedic.rulesets import make_rule_loader
    from logmedic.settings import shipped_rules

    for number, each in enumerate(make_rule_loader(settings, prove=False).load().files, 1):
        path = Path(each)
        if not path.is_relative_to(shipped_rules()):
            try:
                yield f"rules/{number:03}-{path.name}", path.read_text(errors="backslashreplace")
            except OSError as error:
                yield f"rules/{number:03}-{path.name}", f"it cannot be read: {error.strerror}\n"


def daemon(context: Context) -> Iterator[tuple[str, Any]]:
    """What it answers, by question; what it does not answer as why. Without a daemon only that."""
    from logmedic.cli.bugreport.masking import without_log_text
    from logmedic.model.errors import LogmedicError

    client = context.client.waiting(ASK_S)
    for question in ASKED:
        try:
            given = client.get(question)
        except LogmedicError as error:
            yield question, {"unanswered": error.text}
            if question == ASKED[0]:
                return
            continue
        if question == ASKED[0]:
            given = {**given, "open_incidents": [_brief(each) for each in given.get("open_incidents", [])]}
        yield question, without_log_text(given)


def _brief(incident: Mapping[str, Any]) -> dict[str, Any]:
    return {name: incident[name] for name in _KEPT if name in incident}


def own_log(entries: int = ENTRIES, journalctl: str = "journalctl") -> list[dict[str, Any]]:
    """The end of the daemon's own log in the journal, oldest first; empty where it may not be read."""
    from logmedic.cli.bugreport.masking import without_log_text

    asked = ["--no-pager", "-q", "-o", "json", "-n", str(entries), "-u", "logmedic.service"]
    read = []
    for line in lines_of([journalctl, *asked], ASK_S):
        try:
            row = json.loads(line)
        except ValueError:
            continue
        message = row.get("MESSAGE")
        try:
            message = without_log_text(json.loads(message))
        except (TypeError, ValueError):
            message = message if isinstance(message, str) else "[no text]"
        at = {"at_us": row.get("__REALTIME_TIMESTAMP"), "priority": row.get("PRIORITY"), "pid": row.get("_PID")}
        read.append({**at, "message": message})
    return read
