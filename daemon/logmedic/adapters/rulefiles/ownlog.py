"""The daemon's own log, as the host's log has it: a rule that takes its lines would answer itself, again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from logmedic.core.matcher import Matcher
from logmedic.core.ownline import own_line
from logmedic.model.record import Block, Checkpoint
from logmedic.model.rule import Rule

_AT = datetime(2026, 11, 24, 3, tzinfo=UTC)
_SOURCE = "own"
_HEAD = "Nov 24 03:00:00 web1 logmedic[611]: "
_STAMP = {"timestamp": "2026-11-24T03:00:00.000000Z"}
_HEARS_ALL = ("syslog", "journal", "journal:logmedic.service")
"""Names of sources that have what the daemon writes under systemd."""

EVENTS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "acted": ("info", {"by": "alice", "door": "socket", "what": "POST /v1/pause"}),
    "acknowledged": ("info", {"subject": "incident:019a8b4e-5c1d-7f00-8000-3b5f1c2d4e6f", "by": "ops"}),
    "ailing": ("error", {"part": "fixes", "what": "bubblewrap is not installed. That holds the fixes of web-down"}),
    "alert_not_delivered": (
        "critical",
        {
            "title": "[OPEN] web1: the shop - fix it by hand",
            "alert": "0192f7a4-5b1c-7c3e-9d2a-1f2e3d4c5b6a",
            "why": "HTTP 503",
        },
    ),
    "alert_failed": (
        "warning",
        {
            "alert": "0192f7a4-5b1c-7c3e-9d2a-1f2e3d4c5b6a",
            "receiver": "mail",
            "news": "opened",
            "severity": "high",
            "why": "HTTP 503 Service Unavailable",
        },
    ),
    "alert_sent": (
        "info",
        {"alert": "0192f7a4-5b1c-7c3e-9d2a-1f2e3d4c5b6a", "receiver": "mail", "news": "opened", "severity": "high"},
    ),
    "alerts_resent": ("info", {"alerts": 3, "by": "ops"}),
    "archive_damaged": (
        "error",
        {"file": "/var/lib/logmedic/archive/alerts/2026-08-01.parquet", "error": "No magic bytes"},
    ),
    "archive_forgotten": ("info", {"days": 1}),
    "breaker_reset": ("info", {"rule": "web-down", "by": "ops"}),
    "calendar_not_written": ("warning", {"error": "[Errno 28] No space left on device"}),
    "clock_believed": ("info", {"says": "2026-11-25T03:00:00Z"}),
    "clock_doubted": ("warning", {"says": "2027-12-29T03:00:00Z", "expected": "2026-11-24T03:00:00Z"}),
    "clock_set": ("warning", {"by_s": -7200.0}),
    "command_ended": ("warning", {"source": "shop", "problem": "the command ended with code 1", "wait_s": 1.0}),
    "commit_failed": ("warning", {"error": "the store did not take it", "tries": 3}),
    "dashboard_served": ("info", {"listen": "127.0.0.1:8632", "url": "http://127.0.0.1:8632"}),
    "discovery_degraded": ("warning", {"error": "watching is not possible here"}),
    "discovery_recovered": ("info", {}),
    "file_trouble": ("warning", {"origin": "/var/log/app.log", "problem": "cannot be read: Permission denied"}),
    "fixes_paused": ("info", {"by": "file /etc/logmedic/paused", "why": "big release"}),
    "fixes_resumed": ("info", {"by": "ops"}),
    "heartbeat_failed": ("warning", {"problem": "HTTP 500 Internal Server Error"}),
    "heartbeat_recovered": ("info", {"failures": 3}),
    "heartbeat_withheld": ("warning", {"why": "the engine has made no progress for 25 s"}),
    "inotify_overflow": ("warning", {"overflows": 2}),
    "inotify_unavailable": ("warning", {"error": "[Errno 24] Too many open files"}),
    "input_given_up": ("error", {"kind": "Observed", "error": "ValueError: not in range"}),
    "journal_reader_ended": (
        "warning",
        {"source": "journal", "problem": "journalctl ended with code 1", "wait_s": 1.0},
    ),
    "library_said": ("error", {"library": "asyncio", "said": "Task exception was never retrieved"}),
    "link_key_replaced": ("warning", {"notice": "the key of the links was replaced: it is damaged"}),
    "metrics_push_failed": ("warning", {"problem": "ConnectionRefusedError: [Errno 111] Connection refused"}),
    "metrics_push_recovered": ("info", {"failures": 3}),
    "link_used": (
        "info",
        {"purpose": "approve", "incident": "456789ab", "by": "ann (link sent to chat, from 203.0.113.7)"},
    ),
    "links_off": ("warning", {"error": "the key of the links cannot be used: Is a directory", "hint": "see to it"}),
    "links_served": ("info", {"listen": "127.0.0.1:8633", "url": "https://logmedic.example"}),
    "own_lines_lost": ("warning", {"lines": 12}),
    "part_restarts": ("warning", {"part": "source shop", "error": "PermissionError: Permission denied", "wait_s": 4.0}),
    "pause_file_unreadable": ("warning", {"file": "/etc/logmedic/paused", "problem": "Permission denied"}),
    "receiver_unusable": ("error", {"receiver": "mail", "problem": "the URL is not understood"}),
    "report_group_not_set": ("warning", {"group": "apps", "path": "/run/logmedic/report.sock"}),
    "reports_refused": (
        "warning",
        {"what": ["812 reports of shop refused: more than the limit a second"]},
    ),
    "rule_problem": ("error", {"problem": "/etc/logmedic/rules.d/web.yaml:3:5: unknown key `no` in rule web-down"}),
    "rule_quarantined": ("error", {"rule": "web-down", "reason": "took more than 0.1 s, five times"}),
    "rule_warning": (
        "warning",
        {"warning": "/etc/logmedic/rules.d/web.yaml:9:7: `regex` is the old name of `pattern`"},
    ),
    "rules_loaded": ("info", {"rules": 41, "revision": "9f2c", "problems": 0, "armed": "bubblewrap"}),
    "silence_added": (
        "info",
        {
            "silence": "019a8b4e-5c1d-7f00-8000-3b5f1c2d4e6f",
            "by": "ops",
            "until": "2026-11-24T05:00:00Z",
            "why": "known, a new disk comes",
        },
    ),
    "silence_ended": ("info", {"silence": "019a8b4e-5c1d-7f00-8000-3b5f1c2d4e6f", "by": "ops"}),
    "socket_group_not_set": ("info", {"group": "logmedic", "path": "/run/logmedic/logmedic.sock"}),
    "sources_changed": ("info", {"begun": ["mysql"], "stopped": []}),
    "started": ("info", {"pid": 611, "socket": "/run/logmedic/logmedic.sock"}),
    "step_ended": (
        "info",
        {
            "rule": "web-down",
            "incident": "019a8b4e-5c1d-7f00-8000-3b5f1c2d4e6f",
            "step": "restart it",
            "try": 1,
            "exit": 1,
            "took_s": 0.212,
            "detail": "no process was left",
        },
    ),
    "stopped": ("info", {}),
    "stopped_by_failure": ("error", {"error": "the engine stopped"}),
    "stopping": ("info", {}),
    "store_compacted": ("info", {"before": 734003200, "after": 104857600, "held_s": 0.081}),
    "store_not_compacted": ("warning", {"error": "the store could not be compacted: it is being read"}),
    "store_not_open": ("error", {"error": "the store cannot be written: Read-only file system"}),
    "store_opened": ("info", {}),
    "store_opens_slowly": ("warning", {"after_s": 30.0}),
    "store_over_limit": (
        "warning",
        {"limit": 1073741824, "total": 1073741900, "deleted": "snapshot-20261124T030000Z.duckdb"},
    ),
    "store_reopened": ("warning", {"changes": 7}),
    "store_retired": ("info", {"rows": 12345}),
    "store_salvaged": ("error", {"notice": "the store was damaged; what could be read was kept"}),
    "truncated": ("warning", {"origin": "/var/log/app.log", "offset": 4096, "lost_bytes": 17}),
    "tokens_refused": ("warning", {"count": 12}),
    "trust_set": ("info", {"rule": "web-down", "trust": "approve", "by": "ops"}),
    "unexpected_error": (
        "error",
        {"error": "'name'", "trace": 'Traceback (most recent call last):\n  File "engine.py", line 7\nKeyError'},
    ),
    "version_unreadable": (
        "warning",
        {"source": "shop", "file": "/srv/shop/VERSION", "problem": "No such file or directory"},
    ),
    "watching_failed": ("warning", {"directory": "/var/log/app", "error": "[Errno 28] No space left on device"}),
    "well_again": ("info", {"part": "fixes"}),
}
"""Each event that is logged: its level, and the fields as an example."""


def own_lines() -> list[str]:
    """Each event twice: as the journal has it, and as a file that takes the standard error, with its time."""
    rows = [{"level": level, "event": event, **fields} for event, (level, fields) in EVENTS.items()]
    return [f"{_HEAD}{own_line(stamp | row)}" for row in rows for stamp in ({}, _STAMP)]


def taken_lines(rules: Sequence[Rule]) -> dict[tuple[str, str], str]:
    """By rule id and name of the part: the first line of the daemon's own that it takes."""
    if not rules:
        return {}
    hearing = [rule for rule in rules if not rule.sources or set(rule.sources) & set(_HEARS_ALL)]
    content = "".join(f"{line}\n" for line in own_lines()).encode()
    block = Block(_SOURCE, _SOURCE, content, 0, Checkpoint(_SOURCE, _SOURCE, len(content), _AT), _AT)
    matcher = Matcher(hearing, zone=UTC, scanner="plain", any_source=frozenset({_SOURCE}))
    found: dict[tuple[str, str], str] = {}
    for match in matcher.find(block).matches:
        found.setdefault((match.rule_id, match.part), match.record.text)
    return found
