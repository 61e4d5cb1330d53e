"""What fail2ban itself says of lines, and what a rule says of them, in the same words."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from logmedic.core.matcher import Matcher
from logmedic.model.record import Block, Checkpoint
from logmedic.model.rule import Rule

NOW = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)
CONFIG_DIR = Path("/etc/fail2ban")
MATCHED, IGNORED, MISSED = "matched", "ignored", "missed"
Verdict = tuple[str, str]
"""One of the words above, and the address, of what matched."""


def need(program: str) -> str:
    """Its path. Without it the test is skipped, but not where everything has to be run."""
    found = shutil.which(program)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{program} is not installed: scripts/system-packages dev installs it")
        pytest.skip(f"{program} is not installed")
    return found


def fail2ban_says(call: str, lines: Sequence[str], config_dir: Path = CONFIG_DIR) -> list[Verdict]:
    """Of each line by itself: they are not of one connection."""
    with tempfile.TemporaryDirectory() as room:
        log = Path(room) / "log"
        log.write_text("".join(f"{line}\n" for line in lines))
        told = _regex(call, log, config_dir, "--no-check-all", "-o", "<ip> <msg>")
        hosts = {line.partition(" ")[2]: line.partition(" ")[0] for line in told.splitlines()}
        every = _regex(call, log, config_dir, "--print-all-matched", "--print-all-ignored", "--print-all-missed")
    ignored = _section(every, "Ignored")
    missed = _section(every, "Missed")
    assert all(line in hosts or _bare(line) in ignored | missed for line in lines), every
    return [
        (MATCHED, hosts[line]) if line in hosts else (IGNORED, "") if _bare(line) in ignored else (MISSED, "")
        for line in lines
    ]


def fail2ban_matches(call: str, lines: Sequence[str], config_dir: Path = CONFIG_DIR) -> list[str]:
    """The address of each line; empty where it says nothing. Half the work of `fail2ban_says`."""
    with tempfile.TemporaryDirectory() as room:
        log = Path(room) / "log"
        log.write_text("".join(f"{line}\n" for line in lines))
        told = _regex(call, log, config_dir, "--no-check-all", "-o", "<ip> <msg>")
    hosts = {line.partition(" ")[2]: line.partition(" ")[0] for line in told.splitlines()}
    return [hosts.get(line, "") for line in lines]


def _regex(call: str, log: Path, config_dir: Path, *options: str) -> str:
    command = [need("fail2ban-regex"), "-c", str(config_dir), "--usedns", "no", *options]
    done = subprocess.run([*command, str(log), call], capture_output=True, text=True, env={**os.environ, "TZ": "UTC"})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _bare(line: str) -> str:
    return line.rstrip()


def _section(told: str, word: str) -> set[str]:
    inside: set[str] = set()
    reading = False
    for line in told.splitlines():
        if line.startswith(f"|- {word} line(s)"):
            reading = True
        elif line.startswith("`-"):
            reading = False
        elif reading and line.startswith("|  "):
            inside.add(_bare(line[3:]))
    return inside


def rule_says(rule: Rule, lines: Sequence[str]) -> list[Verdict]:
    capture = rule.when.by[0]
    whole, bare = (_matcher(each) for each in (rule, replace(rule, match=replace(rule.match, unless=()))))
    found = [(_matched(whole, line), _matched(bare, line)) for line in lines]
    return [(MATCHED, one[capture]) if one is not None else (IGNORED if other else MISSED, "") for one, other in found]


def rule_hosts(rule: Rule, lines: Sequence[str]) -> list[str]:
    """As `fail2ban_matches`."""
    matcher = Matcher([rule], zone=UTC, scanner="plain", any_source=frozenset({"any"}))
    return [(_matched(matcher, line) or {}).get(rule.when.by[0], "") for line in lines]


def _matcher(rule: Rule) -> Matcher:
    return Matcher([rule], zone=UTC, any_source=frozenset({"any"}))


def _matched(matcher: Matcher, line: str) -> dict[str, str] | None:
    content = line.encode() + b"\n"
    block = Block("any", "any", content, 0, Checkpoint("any", "any", len(content), NOW), NOW)
    matches = matcher.find(block).matches
    return dict(matches[0].captures) if matches else None
