"""From the fields of a file to rules. Only forms are checked here; what they mean together: `checks`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

from logmedic.adapters.rulefiles.deprecations import VERSION
from logmedic.adapters.rulefiles.fixes import build_fix
from logmedic.adapters.rulefiles.matching import build_match
from logmedic.adapters.rulefiles.samples import build_tests
from logmedic.adapters.rulefiles.triggers import build_when
from logmedic.core.reportmatch import SOURCE
from logmedic.model.alertevent import AlertEvent
from logmedic.model.rule import DEFAULT_ALERT_EVENTS, AlertSpec, Fix, LogFiles, Rule
from logmedic.model.severity import Severity
from logmedic.yamldoc import Document, Fields, Node, Problems

MINUTE = timedelta(minutes=1)

_ID = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?\Z")
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class FileForm:
    """What stands in a file beside and around its rules. `service`: what they are about."""

    service: str
    sources: tuple[LogFiles, ...]
    nodes: tuple[Node, ...]


def build_form(document: Document, problems: Problems) -> FileForm:
    """The head of a file, and its rules, still as nodes."""
    root = Fields(document.root, problems, "the file")
    version = root.node_of("version", required=True)
    if version is not None and version.text != VERSION:
        problems.add(version, *_version_mistake(version))
    form = FileForm(
        root.text("service"), tuple(_sources(root, document.file)), tuple(root.items("rules", required=True))
    )
    root.done()
    return form


def _version_mistake(version: Node) -> tuple[str, str]:
    if version.text.isdecimal() and int(version.text) > int(VERSION):
        return (
            f"version {version.text} of the format is newer than this logmedic, which knows {VERSION}",
            f"upgrade logmedic, or write the file in version {VERSION}",
        )
    return f"version {version.text or version.kind} is not known", f"write `version: {VERSION}`"


def _sources(root: Fields, file: str) -> list[LogFiles]:
    fields = root.mapping("sources")
    if fields is None:
        return []
    return [found for name in fields.names() if (found := _log_files(fields, name, file)) is not None]


def _log_files(sources: Fields, name: str, file: str) -> LogFiles | None:
    if not _SOURCE.match(name):
        sources.problems.add(sources.at(name), f"`{name[:80]}` is no name of a source", "letters, digits, _, . and -")
    if name == SOURCE:
        text = f"`{SOURCE}` is the source of what applications report"
        sources.problems.add(sources.at(name), text, "name these files otherwise")
    fields = sources.mapping(name)
    if fields is None:
        return None
    globs = tuple(fields.texts("files", required=True))
    fields.done()
    for glob in globs:
        if not glob.startswith("/"):
            sources.problems.add(fields.at("files"), f"`{glob[:80]}` is no absolute path", "/var/log/app/*.log")
    return LogFiles(name, globs, file)


def build_rule(fields: Fields, file: str, service: str = "") -> Rule:
    """A mistake gives a default, so that all mistakes are found."""
    rule_id = fields.text("id", required=True)
    if rule_id and not _ID.match(rule_id):
        fields.problems.add(
            fields.at("id"), f"`{rule_id[:80]}` is no id", "lower case letters, digits, - and . (at most 64)"
        )
    fields.what = f"rule {rule_id}" if rule_id else "the rule"
    match = build_match(fields.mapping("match", required=True))
    rule = Rule(
        id=rule_id,
        title=fields.text("title", required=True),
        severity=fields.choice("severity", Severity, Severity.MEDIUM) or Severity.MEDIUM,
        description=fields.text("description"),
        resolution=fields.text("resolution"),
        tags=tuple(fields.texts("tags")),
        runbook=_runbook(fields),
        sources=tuple(fields.texts("source")),
        enabled=fields.boolean("enabled", True),
        match=match,
        when=build_when(fields, match),
        fix=_fix(fields),
        alert=_alert(fields),
        tests=build_tests(fields),
        service=service,
        file=file,
        line=fields.node.line,
    )
    fields.done()
    return rule


def _runbook(fields: Fields) -> str:
    url = fields.text("runbook")
    if url and not re.match(r"https?://[^\s]+\Z", url):
        fields.problems.add(fields.at("runbook"), "`runbook` has to be an http:// or https:// address")
    return url


def _fix(rule: Fields) -> Fix | None:
    fields = rule.mapping("fix")
    return None if fields is None else build_fix(fields)


def _alert(rule: Fields) -> AlertSpec:
    fields = rule.mapping("alert")
    if fields is None:
        return AlertSpec()
    events = [fields.choice_of(node, "on", AlertEvent) for node in fields.items("on")]
    spec = AlertSpec(
        routes=tuple(fields.texts("routes")),
        on=frozenset(each for each in events if each) if "on" in fields else DEFAULT_ALERT_EVENTS,
        group_by=tuple(fields.texts("group_by")),
        repeat_every=_repeat(fields),
        page_after=fields.duration("page_after", timedelta(0)) if fields.node_of("page_after") is not None else None,
        not_while=tuple(fields.texts("not_while")),
    )
    fields.done()
    return spec


def _repeat(alert: Fields) -> timedelta | None:
    """Zero: never. None: as the config says."""
    node = alert.node_of("repeat_every")
    if node is None:
        return None
    return timedelta(0) if node.text == "never" else alert.duration("repeat_every", timedelta(0), minimum=MINUTE)
