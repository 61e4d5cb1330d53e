"""Draft rules of what was learned from old logs, as files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from logmedic.cli.learn.told import Telling
from logmedic.cli.output import complain, several
from logmedic.core.draftfile import draft_file
from logmedic.core.drafting import draft_learned
from logmedic.core.evidence import clean
from logmedic.core.hindsight import Lesson
from logmedic.lookback import STDIN
from logmedic.model.errors import PermanentError
from logmedic.model.issue import IssueSource, KnownIssue, Template
from logmedic.model.rule import Rule, RuleSet
from logmedic.model.severity import Severity
from logmedic.rulesets import ARGUMENT

ORDINARY_LINES = 200
"""Of each source, which the pattern of a draft must not match."""


def write_drafts(telling: Telling, directory: Path, rules: RuleSet) -> int:
    """A file for each lesson that is told of; those that are there stay as they are. Answers how many were written."""
    taken = {rule.id for rule in rules.rules}
    if not telling.lessons:
        complain("there is nothing to draft")
        return 0
    try:
        directory.mkdir(parents=True, exist_ok=True)
        written = sum(_write(directory / f"{rule.id}.yaml", rule) for rule in _drafted(telling, taken))
    except OSError as error:
        raise PermanentError(f"cannot write to {directory}: {error.strerror}") from None
    complain(f"{several(written, 'draft')} written to {directory}")
    if written:
        complain(f"next: logmedic rules check --strict {directory}")
    return written


def _drafted(telling: Telling, taken: set[str]) -> Iterator[Rule]:
    for lesson in telling.lessons:
        try:
            rule = _draft(telling, lesson)
        except ValueError as error:
            complain(f"no draft for {clean(lesson.template.template, 100, keep='')}: {error}")
            continue
        names = (rule.id, *(f"{rule.id}-{n}" for n in range(2, len(taken) + 3)))
        rule = replace(rule, id=next(name for name in names if name not in taken))
        taken.add(rule.id)
        yield rule


def _draft(telling: Telling, lesson: Lesson) -> Rule:
    template, sources = lesson.template, {log.source for log in telling.files(lesson)}
    ordinary = [line for each in sorted(sources) for line in _some(telling.done.ordinary.get(each, []))]
    named = sources - {ARGUMENT, STDIN}
    source = named.pop() if len(sources) == len(named) == 1 else ""
    samples = (template.sample, *template.samples[1:])
    return draft_learned(_issue(template), template, samples, ordinary, source=source)


def _some(lines: Sequence[str]) -> Sequence[str]:
    """Spread over all that there are."""
    return lines[:: max(1, len(lines) // ORDINARY_LINES)][:ORDINARY_LINES]


def _issue(template: Template) -> KnownIssue:
    """What the daemon would have made of it."""
    return KnownIssue(
        id="",
        source=IssueSource.LEARNED,
        fingerprint=f"learned:{template.fingerprint}",
        issue_type="recurring_error",
        title=f"{template.component}: {clean(template.template, 160)}",
        severity=Severity.CRITICAL if template.critical else Severity.MEDIUM,
        first_seen=template.first_seen,
        last_seen=template.last_seen,
        description=clean(template.sample, 1000),
        occurrences=template.occurrences,
    )


def _write(file: Path, rule: Rule) -> bool:
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(draft_file(rule, made_from="old logs"))
    except FileExistsError:
        complain(f"{file} is there already, and stays as it is")
        return False
    return True
