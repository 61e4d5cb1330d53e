"""What `rules explain` tells people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from logmedic.cli.output import several

if TYPE_CHECKING:
    from logmedic.settings import Settings

Row = dict[str, Any]
_OTHERS = ("program", "source", "field", "level", "report")
"""Why a rule is about other records altogether."""


def told(rows: Sequence[Row], asked_at: datetime, settings: Settings) -> Iterator[str]:
    """Of many records, those that something is to be said of."""
    many = len(rows) > 1
    silent = 0
    for row in rows:
        if many and not (row["unknown"] or any(each["verdict"] not in _OTHERS for each in row["rules"])):
            silent += 1
            continue
        yield from _story(row, asked_at, settings)
    if many:
        matched = sum(1 for row in rows if row["matched"])
        yield f"{several(len(rows), 'record')}: {matched} known, {silent} that no rule is near"


def _story(row: Row, asked_at: datetime, settings: Settings) -> Iterator[str]:
    from datetime import timedelta

    first, *further = row["text"].split("\n")
    yield f"{first[:200]}{'...' if len(first) > 200 else ''}" + (f"  (+{len(further)} lines)" if further else "")
    age = asked_at - datetime.fromisoformat(row["at"])
    head = f"; its head names {row['program']}" if row["program"] else ""
    yield f"  source    {row['source'] or 'every one (--source NAME for one)'}{head}"
    if age > timedelta(seconds=1):
        limit = settings.incidents.max_age
        stale = "; a line so old starts no fix" if age > limit else ""
        yield f"  written   {row['at'][:19]}Z{stale}; it is asked about as if it came at {asked_at.isoformat()[:19]}Z"
    hits = ", ".join(row["candidates"][:8]) + (", ..." if len(row["candidates"]) > 8 else "")
    yield f"  scanner   hits of {len(row['candidates'])} of {row['rules_asked']} rules{': ' if hits else ''}{hits}"
    for verdict in row["rules"]:
        yield from _verdict_lines(verdict)
    if not row["matched"]:
        yield "  no rule matches"
    yield from _unknown_lines(row, settings)
    yield ""


def _verdict_lines(verdict: Row) -> Iterator[str]:
    part = "" if verdict["part"] == "match" else f" ({verdict['part']})"
    place = f"  {verdict['file']}:{verdict['line']}" if verdict["file"] else ""
    if verdict["verdict"] != "matches":
        if verdict["misfits"]:
            yield f"  ✗ {verdict['rule']}{part}: the report does not fit{place}"
            yield from _misfit_lines(verdict["misfits"])
            return
        if not verdict["near_miss"]:
            yield f"  ✗ {verdict['rule']}{part}: {verdict['reason']}"
            return
        near = "" if verdict["hit"] else " (the scanner had no hit)"
        yield f"  ✗ {verdict['rule']}{part}: nearly{near}{place}"
        yield from _miss_lines(verdict["near_miss"])
        return
    yield f"  ✓ {verdict['rule']}{part}: matches{place}"
    if verdict["captures"]:
        told = (f"{each['name']} = {each['value']} ({each['type']})" for each in verdict["captures"])
        yield f"      captures  {', '.join(told)}"
    if verdict["group"]:
        yield f"      group     {', '.join(f'{name} = {value}' for name, value in verdict['group'].items())}"
    yield from _now_lines(verdict)


def _misfit_lines(misfits: Sequence[Row]) -> Iterator[str]:
    from logmedic.core.explain import short

    for each in misfits:
        found = f"`{short(each['found'])}`" if each["found"] else "nothing"
        yield f"      {each['key']}: wanted {' or '.join(f'`{one}`' for one in each['wanted'])}, found {found}"


def _miss_lines(miss: Row) -> Iterator[str]:
    """What is there, and where the pattern and the text part, in the order in which they stand in the line."""
    from logmedic.core.explain import short

    there = f"      matched   `{short(miss['matched'])}`"
    found = f"`{short(miss['found'])}`" if miss["found"] else "nothing"
    if not miss["from_end"]:
        yield there
    yield f"      wanted    `{short(miss['wanted'])}`"
    yield f"      found     {found}"
    if miss["from_end"]:
        yield there


def _now_lines(verdict: Row) -> Iterator[str]:
    if (now := verdict["now"]) is None:
        yield "      the daemon was asked about many others, and not about this one"
        return
    would = now["would"]
    if would["progress"]:
        yield f"      trigger   {would['progress']}"
    for number, words in enumerate(would["words"]):
        yield f"      {'' if number else 'now':<9} {words}"
    if now["quarantined"]:
        yield f"      the daemon has quarantined it for an hour, or until its file changes: {now['quarantined']}"
    if not now["daemon"]:
        yield f"      {now['note']}: as if nothing had come before, and fixes were armed"
        return
    breaker = now["breaker"]
    broken = f", breaker {breaker['status'].replace('_', ' ')}" if breaker["status"] != "closed" else ""
    open_ones, groups = len(now["open_incidents"]), several(now["windows_total"], "group")
    yield f"      so far    matched {several(now['matched'], 'time')}, {open_ones} open, {groups} being counted{broken}"
    if now["file"] != verdict["file"]:
        yield f"      the daemon has this rule from {now['file']}"


def _unknown_lines(row: Row, settings: Settings) -> Iterator[str]:
    from logmedic.rulesets import ARGUMENT

    unknown = row["unknown"]
    if unknown is None:
        left_alone = any(each["verdict"] == "unless" for each in row["rules"])
        if left_alone:
            yield "  nothing is learned of it: a rule knows it, and leaves it alone"
        elif not row["matched"]:
            yield "  nothing is learned of it: it does not look like an error"
        return
    of = "its source (name it: --source)" if unknown["component"] == ARGUMENT else unknown["component"]
    after = settings.learning.promote_after
    yield f"  learned as an unknown error of {of}; a known issue after {several(after, 'time')}"
    yield f"      template     {unknown['template'][:200]}"
    yield f"      fingerprint  {unknown['fingerprint']}"
