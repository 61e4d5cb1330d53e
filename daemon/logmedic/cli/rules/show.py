"""rules show."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Iterator, Mapping
from datetime import timedelta
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import print_json, several
from logmedic.cli.rules.group import PATHS, load_rules, rules_command
from logmedic.cli.styled import say
from logmedic.core.durations import duration_text
from logmedic.core.rulewords.ladder import headline, ladder_rows
from logmedic.core.rulewords.spec import expected_text, spec_rows, when_rows
from logmedic.model.errors import NotFound
from logmedic.model.probe import AllOf, AnyOf, CommandProbe, DiskProbe, FileProbe, HttpProbe, Not, TcpProbe, UnitProbe
from logmedic.model.rule import Fix, Rule, RuleSet
from logmedic.model.step import (
    CallHttp,
    Command,
    DropCache,
    FreeSpace,
    KillProcess,
    RenewCertificate,
    RotateLog,
    UnitJob,
    Wait,
)

_WIDTH = 12
"""Of the column of names."""
_KINDS: dict[type, str] = {
    Command: "run",
    UnitJob: "unit",
    KillProcess: "kill",
    FreeSpace: "free",
    DropCache: "empty",
    RotateLog: "rotate",
    RenewCertificate: "renew",
    CallHttp: "http",
    Wait: "wait",
    HttpProbe: "http",
    TcpProbe: "tcp",
    CommandProbe: "command",
    UnitProbe: "unit",
    FileProbe: "file",
    DiskProbe: "disk",
    AllOf: "and",
    AnyOf: "or",
    Not: "not",
}
"""Actions and checks by the key that stands in the file: their fields alone do not say which it is."""
_LINE = 100
"""Characters; longer lines of prose are hard to read on the widest terminal."""


@rules_command.command("show")
@click.argument("rule_id", metavar="ID")
@PATHS
@shared
@pass_context
def show_command(context: Context, rule_id: str, paths: tuple[Path, ...]) -> None:
    """The whole of one rule: what it means, what to do, when it speaks, its fix and its tests."""
    rule = _found(load_rules(context, paths, prove=False), rule_id)
    if context.output != "table":
        print_json(_plain(rule))
        return
    for line in told(rule):
        say(line)


def _found(loaded: RuleSet, rule_id: str) -> Rule:
    """Raises NotFound."""
    rules = {rule.id: rule for rule in loaded.rules}
    if rule_id not in rules:
        close = get_close_matches(rule_id, rules, n=3)
        hint = f"did you mean {', '.join(close)}?" if close else "logmedic rules list"
        raise NotFound(f"no rule that loads is called {rule_id}", hint)
    return rules[rule_id]


def _plain(value: Any) -> Any:
    """As JSON has it; durations as they are written."""
    match value:
        case timedelta():
            return duration_text(value)
        case Enum():
            return value.value
        case frozenset():
            return sorted(_plain(each) for each in value)
        case Mapping():
            return {key: _plain(each) for key, each in value.items()}
        case tuple():
            return [_plain(each) for each in value]
    if dataclasses.is_dataclass(value):
        told = {"kind": _KINDS[type(value)]} if type(value) in _KINDS else {}
        return told | {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    return value


# -- for people --------------------------------------------------------------------------------------------------------


def told(rule: Rule) -> Iterator[str]:
    yield f"{rule.id}: {rule.title}"
    yield from _row("where", f"{rule.file}:{rule.line}")
    yield from _row("severity", rule.severity.value + ("" if rule.enabled else "; the rule is switched off"))
    yield from _row("service", rule.service)
    yield from _row("tags", ", ".join(rule.tags))
    yield from _row("hears", ", ".join(rule.sources) or "every log")
    yield from _row("runbook", rule.runbook)
    yield from _paragraph("What it means", rule.description)
    yield from _paragraph("What to do", rule.resolution)
    yield ""
    for name, text in (*spec_rows("match", rule.match), *when_rows(rule.when, rule.match)):
        yield from _row(name, text)
    if rule.fix is not None:
        yield ""
        yield from _fix(rule.fix)
    yield ""
    yield f"{several(len(rule.tests), 'test')}"
    for test in rule.tests:
        yield f"  {rule.file}:{test.line}: {test.name} ({expected_text(test)})"


def _row(name: str, text: str) -> Iterator[str]:
    if text:
        yield f"  {name:{_WIDTH}}{text}"


def _paragraph(heading: str, text: str) -> Iterator[str]:
    if text:
        yield ""
        yield heading
        width = min(get_terminal_size().columns, _LINE)
        yield from textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)


def _fix(fix: Fix) -> Iterator[str]:
    yield headline(fix)
    for name, text in ladder_rows(fix):
        yield from _row(name, text)
