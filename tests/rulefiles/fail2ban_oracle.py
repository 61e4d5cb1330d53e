"""What fail2ban itself says of lines, and what a rule says of them, in the same words."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
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


def fail2ban_matches(asked: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """For the lines of each filter the address in each; empty where it says nothing."""
    calls = []
    with tempfile.TemporaryDirectory() as room:
        for number, (call, lines) in enumerate(asked.items()):
            log = Path(room) / str(number)
            log.write_text("".join(f"{line}\n" for line in lines))
            options = ("--usedns", "no", "--no-check-all", "-o", "<ip> <msg>")
            calls.append(["-c", str(CONFIG_DIR), *options, str(log), call])
        told = _run(calls)
    return {call: _hosts(text, lines) for (call, lines), text in zip(asked.items(), told, strict=True)}


def _hosts(told: str, lines: Sequence[str]) -> list[str]:
    hosts = {line.partition(" ")[2]: line.partition(" ")[0] for line in told.splitlines()}
    return [hosts.get(line, "") for line in lines]


def _regex(call: str, log: Path, config_dir: Path, *options: str) -> str:
    return _run([["-c", str(config_dir), "--usedns", "no", *options, str(log), call]])[0]


_EACH = """
import json, os, sys, tempfile
from fail2ban.client.fail2banregex import exec_command_line

said = []
for arguments in json.load(sys.stdin):
    with tempfile.TemporaryFile() as out:
        if not (pid := os.fork()):
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
            sys.argv = ["fail2ban-regex", *arguments]
            exec_command_line()
            sys.exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        out.seek(0)
        said.append([code, out.read().decode()])
json.dump(said, sys.stdout)
"""


def _run(calls: Sequence[Sequence[str]]) -> list[str]:
    """What it prints for each: in a process of its own, all forked from one that has read its program."""
    python = Path(need("fail2ban-regex")).read_text().splitlines()[0].removeprefix("#!").split()
    done = subprocess.run(
        [*python, "-c", _EACH], input=json.dumps(calls), capture_output=True, text=True, env={**os.environ, "TZ": "UTC"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert all(code == 0 for code, _ in said), said
    return [text for _, text in said]


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
