"""What operators write: YAML, rule files, filters of fail2ban."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fuzz.target import Attempt, Target, claim
from fuzz.targets import PROJECT, by_name, words
from logmedic.adapters.rulefiles.fail2ban import draft_of
from logmedic.adapters.rulefiles.loader import RuleFileLoader
from logmedic.core.ruletest import run_tests
from logmedic.model.errors import PermanentError
from logmedic.model.problem import RuleProblem
from logmedic.yamldoc import DocumentInvalid, parse_document, render_problems

SHORT = 5 * 1024
"""Bytes of a seed: longer ones take longer."""
RULE_TOKENS = words("rules")


def rule_texts() -> Iterable[bytes]:
    yield b"version: 1\nrules: []\n"
    for path in sorted((PROJECT / "rules").glob("*.yaml")):
        head, *rules = path.read_bytes().split(b"\n  - id:")
        yield from (head + b"\n  - id:" + each for each in rules[:1] if len(head) + len(each) < SHORT)
    yield from blocks_of((PROJECT / "docs" / "rules.md").read_bytes())


def blocks_of(page: bytes, language: bytes = b"yaml") -> Iterator[bytes]:
    """What a page shows in a language."""
    for part in page.split(b"```" + language + b"\n")[1:]:
        yield part.split(b"```")[0]


def judge_problems(problems: Sequence[RuleProblem], file: str) -> None:
    """Each says what and where, in words that can be written."""
    for problem in problems:
        claim(bool(problem.text.strip()), f"a problem says nothing: {problem}")
        claim(file in problem.file, f"a problem names no file: {problem}")
        claim(problem.line >= 0 and problem.column >= 0, f"a problem is nowhere: {problem}")
    render_problems(problems).encode()


@contextmanager
def _yaml(room: Path) -> Iterator[Attempt]:
    def attempt(given: bytes) -> None:
        try:
            document = parse_document("rules.yaml", given)
        except DocumentInvalid as invalid:
            judge_problems(invalid.problems, "rules.yaml")
            raise
        repr(document.plain()).encode("utf-8", "strict")

    yield attempt


@contextmanager
def _rule_files(room: Path) -> Iterator[Attempt]:
    """The loader that is kept, as the daemon keeps it: what it knows of earlier files must not matter."""
    path = room / "rules.yaml"
    path.write_bytes(b"version: 1\nrules: []\n")
    loader = RuleFileLoader([path], owners=None, prove=run_tests)

    def attempt(given: bytes) -> None:
        path.write_bytes(given)
        ruleset = loader.load(None)
        judge_problems(ruleset.problems, "rules.yaml")
        claim(all(each.line > 0 for each in ruleset.problems), f"a problem without a line: {ruleset.problems}")

    yield attempt


_FILTER = b"""[Definition]
failregex = ^%(__prefix_line)sFailed password for .* from <HOST>( port \\d+)?$
            ^<F-USER>\\S+</F-USER> from <ADDR>$
ignoreregex = ^ok
datepattern = ^%%Y-%%m-%%d
journalmatch = _SYSTEMD_UNIT=sshd.service
"""
_JAIL = b"[sshd]\nenabled = true\nlogpath = /var/log/a\nmaxretry = 5\nfindtime = 10m\nfilter = some[mode=aggressive]\n"
_F2B_TOKENS = words("fail2ban")


@contextmanager
def _fail2ban(room: Path) -> Iterator[Attempt]:
    """The first half is the filter, the second the jail."""
    (room / "filter.d").mkdir()

    def attempt(given: bytes) -> None:
        written, _, jail = given.partition(b"\n--jail--\n")
        (room / "filter.d" / "some.conf").write_bytes(written)
        (room / "jail.conf").write_bytes(jail)
        made = draft_of("some", "sshd" if jail else None, room)
        parse_document("draft.yaml", made.text.encode())

    yield attempt


def _filters() -> Iterable[bytes]:
    yield _FILTER
    yield _FILTER + b"\n--jail--\n" + _JAIL


TARGETS = by_name(
    Target("yaml", _yaml, rule_texts, RULE_TOKENS, (DocumentInvalid,)),
    Target("rules", _rule_files, rule_texts, RULE_TOKENS, cpu_s=8.0),
    Target("fail2ban", _fail2ban, _filters, _F2B_TOKENS, (PermanentError,), most_bytes=4096),
)
