"""rules explain."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import complain, print_json, several
from logmedic.cli.rules.explained import told
from logmedic.cli.rules.group import load_rules, rules_command, shelf_of
from logmedic.cli.styled import say
from logmedic.model.errors import DaemonUnreachable, NotFound

if TYPE_CHECKING:
    from logmedic.core.explain import Explainer, Verdict
    from logmedic.core.framing import Framing
    from logmedic.model.policy import Policy
    from logmedic.model.record import Block
    from logmedic.model.rule import Rule

MAX_READ = 4 * 1024 * 1024
"""Bytes of a file: each record is told of at length. `rules backtest` reads more."""
AT_LENGTH = 20
"""Of more records than that, only what the scanner had a hit for is told."""
MAX_ASKED = 200
"""Different matches that the daemon is asked about."""
_FILE = click.Path(path_type=Path)


@rules_command.command("explain")
@click.argument("line", required=False)
@click.option("--file", "file", type=_FILE, metavar="FILE", help="Explain the records of a file.")
@click.option("--report", "report", default="", metavar="JSON", help="Explain what an application would report.")
@click.option("--rules", "paths", type=_FILE, multiple=True, metavar="PATH", help="These rule files instead.")
@click.option("--source", default="", metavar="NAME", help="The source that it is read from; every one without.")
@click.option("--rule", "named", multiple=True, metavar="ID", help="Tell of this rule, whatever it says.")
@click.option("--at", "at_text", default="", metavar="TIME", help="As if it came at that time, and not now.")
@shared
@pass_context
def explain_command(
    context: Context,
    line: str | None,
    file: Path | None,
    report: str,
    paths: tuple[Path, ...],
    source: str,
    named: tuple[str, ...],
    at_text: str,
) -> int:
    """Why a LINE is known or not: what each rule says of it, and what would come of it now. A `-` reads standard input.
    Exit code 1 when nothing matches."""
    at = _at(at_text)
    if report:
        block = _reported(report, at, line or file or source)
        asked = _asked(context, paths, block.source, named, at)
        blocks = [block]
    else:
        content = _content(line, file)
        asked = _asked(context, paths, source, named, at)
        blocks = list(asked.blocks(content))
    rows = []
    if len(blocks) > AT_LENGTH:
        asked.explainer = replace(asked.explainer, few=0)
    for block in blocks:
        rows.append(asked.row(block))
        if context.output == "jsonl":
            print(json.dumps(rows[-1]))
    if context.output == "json":
        print_json(rows)
    elif context.output == "table":
        for text in told(rows, at, context.settings_at_rest):
            say(text)
    return 0 if any(row["matched"] for row in rows) else 1


def _reported(report: str, at: datetime, beside: object) -> Block:
    """One that this user would send, unless it names another one."""
    import getpass

    from logmedic.core.reports import BadReport
    from logmedic.core.samplereports import block_of, written

    if beside:
        raise click.UsageError("name one thing to explain: --report JSON goes without a LINE, --file and --source")
    try:
        return block_of(written(report, getpass.getuser()), at)
    except BadReport as bad:
        hint = """--report '{"component": "checkout", "error": "TimeoutError", "user": "shop"}'"""
        raise click.UsageError(f"--report: {bad.text}; {hint if bad.id == '' else bad.hint}") from None


def _content(line: str | None, file: Path | None) -> bytes:
    import os
    import sys

    if (line is None) == (file is None):
        raise click.UsageError("name one thing to explain: a LINE, --file FILE, --report JSON, or - for standard input")
    if line is not None and line != "-":
        return os.fsencode(line)
    try:
        if file is None or str(file) == "-":
            content = sys.stdin.buffer.read(MAX_READ + 1)
        else:
            with file.open("rb") as stream:
                content = stream.read(MAX_READ + 1)
    except OSError as error:
        raise NotFound(f"cannot read {file}: {error.strerror}") from None
    if len(content) > MAX_READ:
        complain(f"only the first {MAX_READ >> 20} MiB are explained; `logmedic rules backtest` reads all")
        content = content[: content.rfind(b"\n", 0, MAX_READ) + 1 or MAX_READ]
    return content


def _at(text: str) -> datetime:
    from datetime import UTC

    from logmedic.yamldoc import moment

    now = datetime.now(UTC)
    try:
        return moment(text, now) if text else now
    except ValueError as error:
        raise click.UsageError(f"--at: {error}") from None


def _asked(context: Context, paths: Sequence[Path], source: str, named: Sequence[str], at: datetime) -> _Question:
    from logmedic.core.explain import Explainer
    from logmedic.core.framing import TRACES
    from logmedic.core.reportmatch import SOURCE
    from logmedic.core.scanner import UNSAVED
    from logmedic.rulesets import make_matcher
    from logmedic.runtime.clock import boot_time, local_zone

    loaded = load_rules(context, paths, prove=False)
    if loaded.problems:
        complain(f"{several(len(loaded.problems), 'mistake')} in the rule files, see: logmedic rules check")
    _check_names(named, [rule.id for rule in loaded.rules])
    zone, framings = local_zone(), context.settings_at_rest.framings()
    name = source.partition(":")[0]
    if name and name not in (SOURCE, *context.settings_at_rest.followed(loaded.sources)):
        complain(f"no source is called {name}: rules that name their sources do not hear it")
    matcher = make_matcher(zone, framings, shelf_of() or UNSAVED)(loaded)
    explainer = Explainer(matcher, loaded.rules, zone, boot_time(), frozenset(named))
    return _Question(context, explainer, framings.get(name, TRACES), source, at)


def _check_names(named: Sequence[str], known: Sequence[str]) -> None:
    from logmedic.yamldoc import meant

    for each in named:
        if each not in known:
            raise NotFound(f"no rule that loads is called {each}", meant(each, known) if len(known) < 20 else "")


@dataclass
class _Question:
    """`unreachable`: why the daemon is not asked any further. `answers`: what it said of matches so far."""

    context: Context
    explainer: Explainer
    framing: Framing
    source: str
    at: datetime
    unreachable: str = ""
    answers: dict[tuple[str, ...], dict[str, Any]] = field(default_factory=dict)

    def blocks(self, content: bytes) -> Iterator[Block]:
        """One a record, as the daemon would cut them."""
        from logmedic.model.record import Block, Checkpoint, Entry
        from logmedic.rulesets import ARGUMENT

        name, _, unit = (self.source or ARGUMENT).partition(":")
        entries = (Entry(0, None, {}, unit),) if unit else ()
        content = content if content.endswith(b"\n") else content + b"\n"
        for start, end in self.framing.spans(content):
            if not content[start:end].strip():
                continue
            reached = Checkpoint(ARGUMENT, name, end, self.at)
            yield Block(name, ARGUMENT, content[start:end], start, reached, self.at, complete=True, entries=entries)

    def row(self, block: Block) -> dict[str, Any]:
        from logmedic.core.explainrows import explained

        return explained(self.explainer.explain(block), self.source, self._now)

    def _now(self, verdict: Verdict) -> dict[str, Any] | None:
        """None for all but the first matches of very many."""
        assert verdict.match is not None  # noqa: S101  only matches are asked about
        key = (verdict.rule.id, verdict.part, *verdict.match.captures.values())
        if key not in self.answers and len(self.answers) < MAX_ASKED:
            self.answers[key] = self._answer(verdict)
        return self.answers.get(key)

    def _answer(self, verdict: Verdict) -> dict[str, Any]:
        """What the daemon says would come of it; without one, what a daemon would say that has seen nothing yet."""
        if not self.unreachable:
            try:
                return {"daemon": True, "note": "", **self._of_daemon(verdict)}
            except DaemonUnreachable as error:
                self.unreachable = error.text
            except NotFound:
                return {"daemon": False, "note": "the daemon does not have this rule", **self._alone(verdict)}
        return {"daemon": False, "note": self.unreachable, **self._alone(verdict)}

    def _of_daemon(self, verdict: Verdict) -> dict[str, Any]:
        assert verdict.match is not None  # noqa: S101  only matches are asked about
        row: dict[str, Any] = self.context.client.get(
            f"rules/{quote(verdict.rule.id, safe='')}",
            captures=json.dumps(dict(verdict.match.captures)),
            part=verdict.part,
            source=self.source,
            at=_iso(self.at),
        )
        return row

    def _alone(self, verdict: Verdict) -> dict[str, Any]:
        from logmedic.model.state import EngineState
        from logmedic.runtime.standing import standing

        assert verdict.match is not None  # noqa: S101  only matches are asked about
        asked = {"captures": dict(verdict.match.captures), "part": verdict.part, "source": self.source, "at": self.at}
        return standing(EngineState(), self._policy(), verdict.rule.id, {}, self.at, asked)

    def _policy(self) -> Policy:
        from logmedic.model.fix import Arming
        from logmedic.runtime.clock import local_zone

        policy = self.context.settings_at_rest.policy(hostname="", started_at=self.at, zone=local_zone())
        rules: Sequence[Rule] = self.explainer.rules
        return replace(policy, started_at=None).with_rules(rules, Arming(True, "assumed", units=True))


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
