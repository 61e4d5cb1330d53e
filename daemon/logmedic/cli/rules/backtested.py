"""A backtest as people read it, and as programs do."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from logmedic.backtesting import Backtest
from logmedic.cli.output import print_json, several, span
from logmedic.cli.past import file_row, iso, zone_name
from logmedic.cli.styled import say
from logmedic.core.backtest import Fired, Story
from logmedic.core.reportmatch import SOURCE
from logmedic.core.sparkline import columns, sparkline

NAMES_SHOWN = 8
"""Of rules that nothing is to be told of."""
WIDEST = 92
"""Columns of a picture: a quarter of a year by days."""


def print_backtest(done: Backtest, output: str, *, every_incident: bool) -> None:
    if output == "json":
        print_json(_report(done))
    elif output == "jsonl":
        for story in done.stories:
            print(json.dumps(_row(story, done)))
    else:
        for line in _lines(done, every_incident):
            say(line)


def _report(done: Backtest) -> dict[str, Any]:
    return {
        "mode": done.mode.value,
        "zone": zone_name(done.zone, done.span),
        "since": iso(done.span[0]) if done.span else None,
        "until": iso(done.span[1]) if done.span else None,
        "days": len(done.days),
        "files": [file_row(log) for log in done.logs],
        "passed_by": list(done.passed_by),
        "bytes": done.bytes,
        "lines": done.lines,
        "seconds": round(done.seconds, 3),
        "reading_seconds": round(done.reading_s, 3),
        "suppressed": done.suppressed,
        "captures_refused": done.captures_refused,
        "timeouts": dict(done.timeouts),
        "quarantined": list(done.quarantined),
        "unheard": list(done.unheard),
        "rules": [_row(story, done) for story in done.stories],
    }


def _row(story: Story, done: Backtest) -> dict[str, Any]:
    worst = story.worst
    return {
        "rule": story.rule.id,
        "severity": story.rule.severity.value,
        "matches": story.matches,
        "fires": story.fires,
        "first": iso(story.first),
        "last": iso(story.last),
        "ended": _values(story.ended),
        "still_open": story.still_open,
        "failed": story.failed,
        "fixes": story.fixes,
        "steps": dict(story.steps),
        "held": _values(story.held),
        "breaker_opens": story.breaker_opens,
        "alerts": dict(sorted(story.alerts.items())),
        "fires_a_day": round(_mean(story, done), 3),
        "worst_day": {"day": worst[0].isoformat(), "fires": worst[1]} if worst else None,
        "by_day": [
            {"day": day.isoformat(), "matches": story.matched_on[day], "fires": story.fired_on[day]}
            for day in sorted({*story.matched_on, *story.fired_on})
        ],
        "incidents": [_incident(each) for each in story.incidents],
        "incidents_left_out": story.fires - len(story.incidents),
    }


def _incident(each: Fired) -> dict[str, Any]:
    return {
        "opened_at": iso(each.opened_at),
        "ended_at": iso(each.ended_at),
        "title": each.title,
        "evidence": each.evidence,
        "matches": each.matches,
        "resolution": each.resolution.value,
        "failed": each.failed,
        "held": [reason.value for reason in each.held],
        "steps": list(each.steps),
        "alerts": dict(each.alerts),
    }


def _values(counts: Mapping[Any, int]) -> dict[str, int]:
    return {each.value: n for each, n in sorted(counts.items())}


def _mean(story: Story, done: Backtest) -> float:
    return story.fires / max(1, len(done.days))


def _lines(done: Backtest, every_incident: bool) -> Iterator[str]:
    matched = [story for story in done.stories if story.matches or story.fires]
    for story in sorted(matched, key=lambda each: (-each.fires, -each.matches)):
        yield from _story(story, done, every_incident)
        yield ""
    yield from _silent(done)
    yield from _remarks(done)
    yield from _totals(done)


def _story(story: Story, done: Backtest, every_incident: bool) -> Iterator[str]:
    rule = story.rule
    yield f"{rule.id}  {rule.severity.value}  {rule.title}"
    if story.matches:  # a rule about incidents has none
        yield f"  matches  {story.matches:,}"
    if not story.first or not story.last:
        yield "  fired    never: what it waits for was not reached"
        yield from _picture(story, done)
        return
    last = f" to {_at(story.last, done)}" if story.fires > 1 else ""
    yield f"  fired    {several(story.fires, 'time')}, {_at(story.first, done)}{last}"
    yield f"  a day    {_few(_mean(story, done))} on average" + _worst(story)
    yield from _picture(story, done)
    yield f"  ended    {_counts(_values(story.ended), **{'still open': story.still_open})}"
    yield from _fix(story, done)
    if story.alerts:
        yield f"  alerts   {several(story.alerts.total(), 'message')}: {_counts(story.alerts)}"
    for each in story.incidents if every_incident else ():
        yield f"  {_at(each.opened_at, done)}  {each.title}: {_fate(each)}"
    if every_incident and story.fires > len(story.incidents):
        yield f"  ... and {story.fires - len(story.incidents):,} more"


def _few(number: float) -> str:
    return f"{number:.2g}" if number < 10 else f"{number:,.0f}"


def _worst(story: Story) -> str:
    return f", {story.worst[1]:,} on the worst one ({story.worst[0]})" if story.worst else ""


def _picture(story: Story, done: Backtest) -> Iterator[str]:
    """Of what it did; of its matches when it did nothing."""
    if len(done.days) < 2:
        return
    what = story.fired_on or story.matched_on
    counts, each = columns(done.days, what, max(10, min(WIDEST, shutil.get_terminal_size().columns - 30)))
    said = f"{done.days[0]} to {done.days[-1]}" + (f", {each} days each" if each > 1 else "")
    yield f"           {sparkline(counts)}  {said}" + ("" if story.fired_on else " (matches)")


def _fix(story: Story, done: Backtest) -> Iterator[str]:
    if story.rule.fix is None:
        return
    told = []
    if story.fixes:
        told.append(f"would have run {several(story.fixes, 'time')} ({_counts(story.steps)})")
    if story.held:
        told.append(f"held: {_counts(_values(story.held))}")
    if story.failed:
        told.append(f"did not hold {several(story.failed, 'time')}")
    if story.breaker_opens:
        told.append(f"breaker open {several(story.breaker_opens, 'time')}")
    yield f"  fix      {'; '.join(told) or 'nothing to do'} (mode {story.rule.fix.mode.under(done.mode).value})"


def _fate(each: Fired) -> str:
    ended = (
        f"{each.resolution.value} after {span((each.ended_at - each.opened_at).total_seconds())}"
        if each.ended_at
        else ""
    )
    parts = [
        "1 match" if each.matches == 1 else f"{each.matches:,} matches",
        *(f"held ({reason.value.replace('_', ' ')})" for reason in each.held),
        *([f"ran {_counts(Counter(each.steps))}"] if each.steps else []),
        *(["the fix did not hold"] if each.failed else []),
        ended or "still open",
    ]
    return ", ".join(parts)


def _counts(counts: Mapping[str, int], **more: int) -> str:
    every = sorted({**counts, **more}.items(), key=lambda each: -each[1])
    return ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in every if n) or "none"


def _at(at: datetime, done: Backtest) -> str:
    return f"{at.astimezone(done.zone):%Y-%m-%d %H:%M:%S}"


def _silent(done: Backtest) -> Iterator[str]:
    silent = [story.rule.id for story in done.stories if not story.matches and not story.fires]
    if len(silent) == len(done.stories):
        yield "nothing matched"
        yield "hint: `logmedic rules explain` tells of a line why a rule does not match it"
    elif silent:
        yield f"without a match: {_names(silent)}"


def _names(names: list[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def _remarks(done: Backtest) -> Iterator[str]:
    """What limits the answer."""
    if len(done.unheard) > NAMES_SHOWN:
        yield f"{several(len(done.unheard), 'rule')} listen to other sources than those of these files"
    elif done.unheard:
        unheard = [story.rule for story in done.stories if story.rule.id in done.unheard]
        sources = sorted({each for rule in unheard for each in rule.sources or (SOURCE,)})
        yield f"listen to other sources ({_names(sources)}): {_names(list(done.unheard))}"
        yield "hint: --source NAME says what the files are"
    if done.quarantined:
        yield f"took too long too often, and were heard no more, as in the daemon: {_names(list(done.quarantined))}"
    elif done.timeouts:
        yield f"records given up because a pattern took too long: {_counts(done.timeouts)}"
    if done.captures_refused:
        yield f"no match because a capture is not of its type: {several(done.captures_refused, 'record')}"
    if done.suppressed:
        yield f"kept back by another open incident (unless_incident): {done.suppressed:,}"
    timeless = [log.path for log in done.logs if log.lines and log.first is None and log.last is None]
    if timeless:
        yield f"no times in the lines, the file's last write stands for all of them: {_names(timeless)}"
    if done.passed_by:
        yield f"older than --since, not read: {several(len(done.passed_by), 'file')}"
    if not done.receivers and any(story.alerts for story in done.stories):
        yield "no receiver is configured: the messages would have reached nobody"


def _totals(done: Backtest) -> Iterator[str]:
    read = [log for log in done.logs if log.lines]
    size = done.bytes / 1e6
    speed = f"read at {size / max(done.reading_s, 1e-3):,.0f} MB/s, all in {done.seconds:.1f} s"
    yield f"{several(len(read), 'file')}, {several(done.lines, 'line')}, {size:,.1f} MB: {speed}"
    if done.span:
        first, last = (_at(each, done) for each in done.span)
        zone = zone_name(done.zone, done.span)
        yield f"{first} to {last}, {several(len(done.days), 'day')} in {zone}; mode {done.mode.value}"
