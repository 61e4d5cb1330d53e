"""Fixes: what runs, what is held back after failures, lanes by target over time, and the same as a table."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from logmedic.adapters.web.html import Html, Part, element, joined
from logmedic.adapters.web.pages import asked, lanes, parts
from logmedic.adapters.web.pages.page import Answer, Page, View
from logmedic.core.paging import cursor_of
from logmedic.core.phrases import several
from logmedic.model.circuit import BreakerStatus
from logmedic.model.fix import Verdict
from logmedic.model.live import Topic
from logmedic.ports import Control

Row = parts.Row
PER_PAGE = 50
IN_LANES = 500
WOULD_SHOWN = 50
SPANS = {"1h": timedelta(hours=1), "6h": timedelta(hours=6), "24h": timedelta(hours=24), "7d": timedelta(days=7)}
_WORDS = {"1h": "1 hour", "6h": "6 hours", "24h": "24 hours", "7d": "7 days"}
USUAL = "24h"
_PERIODS = (("", "the time that is drawn"), *((value, words) for value, words in asked.PERIODS if value))
_VERDICTS = (("", "any"), *((each.value, each.value.replace("_", " ")) for each in Verdict))


async def gather(control: Control, request: Request) -> Answer:
    """What is drawn is of `span`; the table as well, where `since` says no other time."""
    span = asked.one_of(request, "span", list(SPANS)) or USUAL
    until = datetime.now(UTC)
    begin = until - SPANS[span]
    rule, target = asked.text(request, "rule"), asked.text(request, "target")
    verdict = asked.one_of(request, "verdict", list(Verdict))
    since, cursor = asked.period(request) or begin, asked.text(request, "cursor")
    fixes, drawn, breakers = await asyncio.gather(
        control.ask("fixes", since=since, rule=rule, verdict=verdict, target=target, limit=PER_PAGE + 1, cursor=cursor),
        control.ask("lanes", since=begin, until=until, limit=IN_LANES),
        control.ask("breakers"),
    )
    fit = [each for each in drawn if rule in ("", each["rule_id"]) and target in ("", each["target"])]
    return {
        "span": span,
        "since": _told(begin),
        "until": _told(until),
        "running": [each for each in drawn if each["kind"] == "ran" and each["finished_at"] is None],
        "breakers": [each for each in breakers if each["status"] != BreakerStatus.CLOSED],
        "lanes": [each for each in fit if verdict in ("", each["verdict"])],
        "lanes_full": len(drawn) == IN_LANES,
        "fixes": fixes[:PER_PAGE],
        "next": cursor_of("fixes", fixes[PER_PAGE - 1]) if len(fixes) > PER_PAGE else "",
    }


def _told(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def render(answer: Answer, view: View) -> Html:
    return joined(
        parts.heading("Fixes", _lead(answer), more=_spans(answer["span"], view)),
        _running(answer["running"], view),
        _breakers(answer["breakers"], view),
        _filters(view.query),
        _lanes(answer),
        _table(answer, view),
        _would(answer, view),
    )


def _lead(answer: Answer) -> str:
    if not answer["lanes"]:
        return "What was run to repair something, on what, and whether it worked."
    return f"The last {_WORDS[answer['span']]}: {lanes.counted(answer['lanes'])}."


def _spans(chosen: str, view: View) -> Html:
    """The same filters over another time."""
    rest = {name: value for name, value in view.query.items() if name not in ("span", "cursor")}
    ways = ((f"/fixes?{urlencode({**rest, 'span': value})}", value, words) for value, words in _WORDS.items())
    return parts.spans(ways, chosen)


def _running(rows: Sequence[Row], view: View) -> Html | None:
    if not rows:
        return None
    listed = (
        element(
            "li",
            parts.tag("work", "runs"),
            " ",
            element("b", parts.line(each["step_name"], 120)),
            f" on {parts.line(each['target'], 80)} for ",
            parts.incident_link({"id": each["incident_id"], "title": each["title"]}),
            ", begun ",
            parts.ago(each["started_at"], view.now),
        )
        for each in rows
    )
    return parts.section("Running now", element("ul", *listed, class_="plain-list"), id="running")


def _breakers(rows: Sequence[Row], view: View) -> Html | None:
    if not rows:
        return None
    headings = ("Target", "State", "Failures", "Opened", "Next trial", "What to do")
    return parts.section(
        "Held back after failures",
        element(
            "p",
            "Mend what makes the fix fail, then close the breaker; else one trial goes through then.",
            class_="soft",
        ),
        parts.table("Breakers that are not closed", headings, (_breaker(each, view) for each in rows)),
        id="breakers",
    )


def _breaker(row: Row, view: View) -> Sequence[Part]:
    named = urlencode({"rule": row["rule_id"], "target": row["target"]})
    trial = "under way" if row["trial"] else parts.left(row["open_until"], view.now)
    return (
        joined(
            element("span", parts.line(row["target"] or "every target", 80), class_="main-cell"),
            element("p", parts.rule_link(row["rule_id"]), class_="soft"),
        ),
        parts.tag("bad" if row["status"] == BreakerStatus.OPEN else "wait", str(row["status"]).replace("_", " ")),
        f"{row['failures']:,} in a row",
        parts.ago(row["opened_at"], view.now),
        trial or "-",
        parts.button("Close the breaker", f"/breakers/reset?{named}") if view.caller.may_act else None,
    )


def _filters(query: Mapping[str, str]) -> Html:
    def told(name: str) -> str:
        return query.get(name, "")

    kept = element("input", type="hidden", name_="span", value=told("span")) if told("span") else None
    clear = element("a", "Clear", href="/fixes") if set(query) - {"cursor", "span"} else None
    since = told("since")
    periods = _PERIODS if since in dict(_PERIODS) else (*_PERIODS, (since, since))
    return parts.filters(
        "/fixes",
        parts.choices("since", "In the table", periods, since),
        parts.choices("verdict", "Verdict", _VERDICTS, told("verdict")),
        parts.words("rule", "Rule", told("rule")),
        parts.words("target", "Target", told("target")),
        joined(kept, clear),
    )


def _lanes(answer: Answer) -> Html:
    rows = answer["lanes"]
    if not rows:
        return parts.section(
            "By target",
            parts.nothing(
                "No fix ran in this time, and none would have.",
                "A rule with a fix runs it when its incident opens; in mode observe it is only said what would run.",
            ),
            id="lanes",
        )
    begin, end = (datetime.fromisoformat(answer[name]) for name in ("since", "until"))
    more = element("p", f"the newest {IN_LANES}") if answer["lanes_full"] else None
    return parts.section("By target", lanes.drawn(rows, begin, end), id="lanes", more=more)


_HEADINGS = ("Verdict", "Fix", "Target", "Begun", "Took", "Exit")


def _table(answer: Answer, view: View) -> Html:
    rows = answer["fixes"]
    query = {name: value for name, value in view.query.items() if name != "cursor"}
    body = (
        joined(
            parts.table("Fixes that ran", _HEADINGS, (_cells(each, view) for each in rows), numbers=("Took", "Exit")),
            parts.following("/fixes", query, answer["next"]),
        )
        if rows
        else parts.nothing("No fix that ran fits.", element("a", "Show all of 30 days", href="/fixes?since=30d"))
    )
    return parts.section("What ran", body, id="ran")


def _cells(row: Row, view: View) -> Sequence[Part]:
    return (
        parts.verdict(row),
        joined(
            element("span", parts.line(row["step_name"], 120), class_="main-cell"),
            element(
                "p",
                parts.incident_link({"id": row["incident_id"], "title": row["title"] or row["incident_id"]}),
                " · ",
                parts.rule_link(row["rule_id"]),
                class_="soft",
            ),
        ),
        parts.line(row["target"] or "-", 80),
        parts.ago(row["started_at"], view.now),
        parts.span(row["duration_s"]),
        "-" if row["exit_code"] is None else f"{row['exit_code']}",
    )


def _would(answer: Answer, view: View) -> Html | None:
    rows = [each for each in answer["lanes"] if each["kind"] == "would"]
    if not rows:
        return None
    headings = ("Held", "What would have run", "Target", "When")
    cells = (_would_cells(each, view) for each in rows[:WOULD_SHOWN])
    left = len(rows) - WOULD_SHOWN
    return parts.section(
        "What would have run",
        parts.table("Fixes that would have run", headings, cells),
        parts.nothing(f"And {several(left, 'other')} in this time.") if left > 0 else None,
        id="would",
    )


def _would_cells(row: Row, view: View) -> Sequence[Part]:
    steps: Sequence[Any] = parts.line(row["step_name"], 600).split("; then ")
    hold = str(row["hold"] or "would have run").replace("_", " ")
    return (
        parts.tag("wait", hold),
        joined(
            element("span", *(_then(n, each) for n, each in enumerate(steps)), class_="main-cell"),
            element(
                "p",
                parts.incident_link({"id": row["incident_id"], "title": row["title"] or row["incident_id"]}),
                " · ",
                parts.rule_link(row["rule_id"]),
                class_="soft",
            ),
        ),
        parts.line(row["target"], 80),
        parts.ago(row["started_at"], view.now),
    )


def _then(number: int, step: str) -> Html:
    return joined(", then " if number else None, step)


PAGE = Page(
    path="/fixes",
    title=lambda _: "Fixes",
    gather=gather,
    render=render,
    topics=frozenset({Topic.FIXES, Topic.INCIDENTS}),
)
