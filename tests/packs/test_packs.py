"""The shipped rules: every one fires where it should, and stays silent where somebody tries to make it fire."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest

from logmedic.adapters.rulefiles.loader import RuleFileLoader
from logmedic.core.matcher import Matcher
from logmedic.core.ruletest import run_tests
from logmedic.core.scanner import HyperscanScanner
from logmedic.model.record import Block, Checkpoint
from logmedic.model.rule import Mode, Rule, RuleSet

ROOT = Path(__file__).resolve().parents[2]
PACKS = sorted((ROOT / "rules").glob("*.yaml"))
NAMES = {"nginx", "postgresql", "systemd-units", "kernel", "disk-full", "python-services"}
NOW = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)
SHARED: set[tuple[str, str]] = set()
"""(whose sample, which other pack's rule fires on it as well): none so far."""


def load(path: Path) -> RuleSet:
    return RuleFileLoader([path], owners=None, prove=run_tests).load()


RULES: tuple[Rule, ...] = tuple(rule for path in PACKS for rule in load(path).rules)


def found(rules: tuple[Rule, ...], text: str, scanner: str = "auto") -> list[str]:
    """The ids of the rules that match, every source being heard."""
    content = text.rstrip("\n").encode() + b"\n"
    block = Block("any", "any", content, 0, Checkpoint("any", "any", len(content), NOW), NOW)
    findings = Matcher(rules, zone=UTC, scanner=scanner, any_source=frozenset({"any"})).find(block)
    return [match.rule_id for match in findings.matches]


def samples(rule: Rule, word: str) -> str:
    """The lines of the tests whose name begins with `word`."""
    lines = (line.text.rstrip("\n") for test in rule.tests if test.name.startswith(word) for line in test.lines)
    return "\n".join(dict.fromkeys(lines))


def benign() -> str:
    """A few hundred lines of an ordinary day, of every program that the packs are about."""
    minutes = [f"{hour:02d}:{minute:02d}" for hour, minute in product(range(3, 9), range(0, 60, 10))]
    return "\n".join(line.format(t=t, n=7000 + n) for n, t in enumerate(minutes) for line in _ORDINARY)


_ORDINARY = (
    "2026/11/23 {t}:41 [notice] 611#611: signal process started, worker process {n} exited with code 0",
    "2026/11/23 {t}:41 [warn] 611#611: *{n} an upstream response is buffered to a temporary file "
    "/var/lib/nginx/proxy/1/00/0000000001 while reading upstream, client: 203.0.113.7, server: shop.example",
    '2026/11/23 {t}:41 [error] 611#611: *{n} open() "/srv/www/favicon.ico" failed (2: No such file or directory), '
    'client: 203.0.113.7, server: shop.example, request: "GET /favicon.ico HTTP/1.1", host: "shop.example"',
    '203.0.113.7 - - [23/Nov/2026:{t}:41 +0000] "GET /orders/{n} HTTP/1.1" 200 5120 '
    '"https://shop.example/" "Mozilla/5.0"',
    "2026-11-23 {t}:41.250 UTC [{n}] LOG:  checkpoint complete: wrote 41 buffers (0.3%); 0 WAL file(s) added",
    '2026-11-23 {t}:41.250 UTC [{n}] app@shop ERROR:  duplicate key value violates unique constraint "orders_pkey"',
    "2026-11-23 {t}:41.250 UTC [{n}] app@shop LOG:  duration: 412.1 ms  statement: SELECT 1",
    "Nov 23 {t}:41 web1 systemd[1]: Starting logrotate.service - Rotate log files...",
    "Nov 23 {t}:41 web1 systemd[1]: logrotate.service: Deactivated successfully.",
    "Nov 23 {t}:41 web1 systemd[1]: app.service: Scheduled restart job, restart counter is at 1.",
    "Nov 23 {t}:41 web1 kernel: [{n}.123456] EXT4-fs (sda1): mounted filesystem with ordered data mode. Opts: (null)",
    "Nov 23 {t}:41 web1 kernel: [{n}.123456] TCP: request_sock_TCP: Possible SYN flooding on port 443.",
    "Nov 23 {t}:41 web1 sshd[{n}]: Failed password for invalid user admin from 203.0.113.9 port 4711 ssh2",
    "Nov 23 {t}:41 web1 CRON[{n}]: (root) CMD (test -x /usr/sbin/anacron || run-parts --report /etc/cron.daily)",
    "Nov 23 {t}:41 web1 app[{n}]: disk usage of /var is 71%, 12345 inodes free",
    "2026-11-23 {t}:41,123 INFO shop.orders: order {n} paid",
    "2026-11-23 {t}:41,123 ERROR shop.mail: message {n} bounced: mailbox unavailable",
    "[2026-11-23 {t}:41 +0000] [1637] [INFO] Booting worker with pid: {n}",
    'INFO:     203.0.113.7:41234 - "GET /healthz HTTP/1.1" 200 OK',
    "Traceback (most recent call last):\n"
    "  File \"/srv/shop/pay.py\", line 41, in pay\n    charge()\nKeyError: 'amount'",
)


def test_the_packs_are_all_there() -> None:
    assert {path.stem for path in PACKS} == NAMES


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)
def test_a_pack_loads_and_proves_itself(path: Path) -> None:
    loaded = load(path)
    assert loaded.problems == ()
    assert len(loaded.rules) >= 4


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)
def test_a_pack_does_not_load_when_a_sample_of_it_is_wrong(path: Path, tmp_path: Path) -> None:
    changed = tmp_path / path.name
    changed.write_text(path.read_text().replace("expect: { fires: 1", "expect: { fires: 2", 1))
    assert len(load(changed).rules) == len(load(path).rules) - 1


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_tells_what_it_means_and_is_born_with_its_samples(rule: Rule) -> None:
    assert rule.description
    assert rule.tags
    kinds = {word for word in ("fires", "near miss", "hostile") if samples(rule, word)}
    assert kinds == {"fires", "near miss", "hostile"}
    for test in rule.tests:
        assert test.fires == (1 if test.name.startswith("fires") else 0), test.name


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_hostile_lines_do_not_match_in_one_block_either(rule: Rule) -> None:
    assert found((rule,), samples(rule, "hostile")) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_samples_of_a_rule_are_no_other_packs_business(rule: Rule) -> None:
    fired = set(found(RULES, samples(rule, "fires")))
    assert rule.id in fired
    others = {each.id for each in RULES if each.file != rule.file}
    assert {(rule.id, other) for other in fired & others} <= SHARED


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
@pytest.mark.parametrize(
    "carrier",
    [
        '203.0.113.7 - - [23/Nov/2026:03:12:41 +0000] "GET / HTTP/1.1" 200 5 "-" "{}"',
        "2026/11/23 03:12:41 [error] 611#611: *9 access forbidden by rule, client: 203.0.113.7, "
        'server: x, request: "GET / HTTP/1.1", referrer: "{}"',
        "Nov 23 03:12:41 web1 sshd[9]: Invalid user {} from 203.0.113.7 port 4711",
        "Nov 23 03:12:41 web1 sudo: ann : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/echo {}",
        "2026-11-23 03:12:41.250 UTC [7] app@shop STATEMENT:  select '{}'",
    ],
    ids=["user agent", "referrer", "ssh user", "sudo", "sql"],
)
def test_no_firing_line_fires_inside_of_a_field_that_others_fill(rule: Rule, carrier: str) -> None:
    carried = "\n".join(carrier.format(line) for line in samples(rule, "fires").splitlines())
    assert found(RULES, carried) == []


@pytest.mark.parametrize("scanner", ["hyperscan", "plain"])
def test_an_ordinary_day_is_silent(scanner: str) -> None:
    text = benign()
    assert len(text.splitlines()) > 300
    assert found(RULES, text, scanner) == []


def test_every_shipped_pattern_is_served_by_the_fast_scanner() -> None:
    patterns = [pattern for rule in RULES for pattern in rule.match.patterns]
    assert HyperscanScanner(patterns).plain_patterns == ()


def test_shipped_fixes_ask_first_and_are_bounded() -> None:
    fixes = [rule.fix for rule in RULES if rule.fix is not None]
    assert fixes
    for fix in fixes:
        assert fix.mode is Mode.APPROVE
        assert fix.verify.quiet is not None or fix.verify.probes
        assert fix.limits.max_per_hour <= 4
        assert all(step.restart_unit for step in fix.steps)


def test_the_documentation_names_every_rule_and_no_other() -> None:
    table = re.findall(r"^\| `([a-z0-9-]+)` \|", (ROOT / "docs" / "packs.md").read_text(), re.MULTILINE)
    assert sorted(table) == sorted(rule.id for rule in RULES)
