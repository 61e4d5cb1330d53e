"""One rule: what it says, what it brought, how far its fix is trusted, what it counts now, and its incidents."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request

from logmedic.adapters.web.html import Html, Part, element, joined
from logmedic.adapters.web.pages import explaining, parts, rules
from logmedic.adapters.web.pages.page import Answer, Page, View
from logmedic.core.phrases import several, times
from logmedic.core.shellwords import command
from logmedic.model.circuit import BreakerStatus
from logmedic.model.errors import NotFound, OrderRefused
from logmedic.model.live import Topic
from logmedic.ports import Control

Row = parts.Row
INCIDENTS_SHOWN, WINDOWS_SHOWN, CHANGES_SHOWN, TESTS_SHOWN = 15, 20, 10, 40
SLOTS = 30
"""Days, and slots of the trend."""


async def gather(control: Control, request: Request) -> Answer:
    """A rule that is not in force any more has what is remembered of it. Raises NotFound for what nobody knows."""
    name, now = request.path_params["id"], datetime.now(UTC)
    since = now - rules.COUNTED
    stats, incidents, sparks = await asyncio.gather(
        control.ask("rule_stats", since=since),
        control.ask("incidents", everything=True, rule=name, limit=INCIDENTS_SHOWN),
        control.ask("sparks", rules=[name], since=now - timedelta(days=SLOTS), until=now, slots=SLOTS),
    )
    said = await _or_none(control.rule_said(name))
    if said is None and not incidents:
        raise NotFound(f"no rule that is in force is called {name[:80]}", "logmedic rules list")
    trust = await _or_none(control.trust_of(name)) if said is None or said["fix"] is not None else None
    return {
        "id": name,
        "said": said,
        "stands": await _or_none(control.rule(name)),
        "trust": trust,
        "breakers": [each for each in await control.ask("breakers") if each["rule_id"] == name],
        "cost": next((each for each in await control.rule_costs() if each["rule"] == name), None),
        "stats": next((each for each in stats if each["rule_id"] == name), None),
        "spark": sparks.get(name, []),
        "incidents": incidents,
        "explained": await explaining.answered(control, request, name) if said is not None else None,
    }


async def _or_none(asking: Any) -> dict[str, Any] | None:
    """What is not known of a rule that is not in force, or has no fix."""
    try:
        found: dict[str, Any] = await asking
    except (NotFound, OrderRefused):
        return None
    return found


def render(answer: Answer, view: View) -> Html:
    said = answer["said"]
    main = joined(
        _meaning(said) if said else None,
        _speaks(said) if said else None,
        _fix(answer) if said and said["fix"] is not None else None,
        _tests(answer, view) if said else None,
        _incidents(answer, view),
    )
    aside = joined(
        _numbers(answer, view), _trust(answer, view), _breakers(answer["breakers"], view), _windows(answer, view)
    )
    return joined(_top(answer, view), parts.columns(main, aside), _box(answer, view))


def _base(answer: Answer) -> str:
    return f"/rules/{quote(str(answer['id']), safe='')}"


def _top(answer: Answer, view: View) -> Html:
    said = answer["said"]
    if said is None:
        above = parts.tag("soft", "not in force")
        lead = "No rule file has it any more, or its file does not load; this is what is remembered of it."
        return parts.heading(parts.line(answer["id"]), lead, above=above)
    marks = (
        parts.severity(said),
        parts.tag("bad", "quarantined") if said["quarantined"] else None,
        None if said["enabled"] else parts.tag("soft", "switched off"),
        rules.mode(said) if said["mode"] else parts.tag("soft", "no fix"),
    )
    where = f"{said['file']}:{said['line']}"
    lead = joined(element("code", parts.line(answer["id"])), " in ", element("code", parts.line(where, 200)))
    acts = (
        joined(
            parts.button("Run its tests", f"{_base(answer)}/test") if said["tests"] else None,
            parts.button("Trust its fix", f"{_base(answer)}/trust") if said["fix"] is not None else None,
            parts.button("Silence it", f"/silences/new?{urlencode({'rule': answer['id']})}"),
        )
        if view.caller.may_act
        else None
    )
    return parts.heading(parts.line(said["title"]), lead, above=joined(*marks), more=acts)


def _meaning(said: Row) -> Html | None:
    runbook = said["runbook"]
    safe = str(runbook).startswith(("https://", "http://"))
    link = (
        element("a", parts.line(runbook, 200), href=runbook, rel="noreferrer noopener") if safe else parts.line(runbook)
    )
    told = [
        *(element("p", parts.line(each, 2000)) for each in said["description"].split("\n\n") if each.strip()),
        joined(element("h3", "What to do"), *_paragraphs(said["resolution"])) if said["resolution"] else None,
        element("p", "Runbook: ", link) if runbook else None,
    ]
    if not any(told):
        return None
    return parts.section("What it means", *told, id="meaning")


def _paragraphs(text: str) -> Iterator[Html]:
    yield from (element("p", parts.line(each, 2000)) for each in text.split("\n\n") if each.strip())


def _speaks(said: Row) -> Html:
    hears = ", ".join(parts.line(each, 80) for each in said["sources"]) or "every log"
    return parts.section(
        "When it speaks",
        element("p", parts.line(said["in_short"], 600), "; it hears ", hears, "."),
        _rows(said["speaks"]),
        id="speaks",
    )


def _rows(rows: Sequence[Row]) -> Html:
    """Names with what is said of them; one without a name goes on with the one before."""
    shown = (
        joined(element("dt", each["name"]), element("dd", element("code", parts.line(each["text"], 2000))))
        for each in rows
    )
    return element("dl", *shown, class_="saying")


def _fix(answer: Answer) -> Html:
    said = answer["said"]
    return parts.section(
        "Its fix", element("p", parts.line(said["fix_in_short"], 300), "."), _rows(said["fix_steps"]), id="fix"
    )


def _tests(answer: Answer, view: View) -> Html:
    rows = answer["said"]["tested"]
    if not rows:
        hint = "A test is a few lines and what they have to bring: docs/rules.md says how."
        return parts.section("Its tests", parts.nothing("It has none.", hint), id="tests")
    listed = (
        element(
            "li",
            element("b", parts.line(each["test"] or f"line {each['line']}", 160)),
            f": {parts.line(each['expects'], 200)}",
        )
        for each in rows[:TESTS_SHOWN]
    )
    more = element("a", "Run them", href=f"{_base(answer)}/test") if view.caller.may_act else None
    left = len(rows) - TESTS_SHOWN
    return parts.section(
        "Its tests",
        element("ul", *listed, class_="plain-list"),
        parts.nothing(f"And {several(left, 'other')}.") if left > 0 else None,
        parts.shell(command("rules", "test", "--rule", answer["id"])),
        id="tests",
        more=more,
    )


def _incidents(answer: Answer, view: View) -> Html:
    rows = answer["incidents"]
    if not rows:
        return parts.section("Its incidents", parts.nothing("It never opened one."), id="incidents")
    cells = (
        (
            parts.state(each),
            joined(
                element("span", parts.incident_link(each), class_="main-cell"),
                element("p", parts.short_id(each), class_="soft"),
            ),
            f"{each['occurrences']:,}x",
            parts.ago(each["opened_at"], view.now),
            parts.span(parts.seconds(each["opened_at"], each["resolved_at"])),
        )
        for each in rows
    )
    everything = f"/incidents?{urlencode({'rule': answer['id'], 'status': 'all'})}"
    return parts.section(
        "Its incidents",
        parts.table("Its incidents", ("State", "Incident", "Seen", "Opened", "Took"), cells, numbers=("Seen", "Took")),
        id="incidents",
        more=element("a", "All of them", href=everything) if len(rows) == INCIDENTS_SHOWN else None,
    )


def _numbers(answer: Answer, view: View) -> Html:
    stats, stands, cost = answer["stats"], answer["stands"], answer["cost"]
    facts: list[tuple[str, Part]] = []
    if stats is not None:
        facts += [
            ("opened", several(stats["incidents"], "incident")),
            ("verified", rules.verified(stats)),
            ("noise", rules.noise(stats)),
            ("people called", times(stats["needed_people"]) if stats["needed_people"] else "never"),
            ("mean recovery", parts.span(stats["mean_recovery_s"])),
        ]
    if stands is not None:
        facts += [
            ("matched, ever", f"{stands['matched']:,}x"),
            ("last match", parts.ago(stands["last_match_at"], view.now)),
            ("quarantined", parts.line(stands["quarantined"], 200)),
        ]
    if cost is not None:
        facts += [("cost", rules.cost(cost)), ("given up on", several(cost["overruns"], "record"))]
    days = answer["spark"]
    spark = (
        parts.spark(days, f"{several(sum(days), 'incident')} in {SLOTS} days, {days[-1]} in the last one")
        if days
        else None
    )
    nothing = None if facts else parts.nothing("Nothing was counted of it in 30 days.")
    return parts.section("In 30 days", spark, parts.facts(facts), nothing, id="numbers")


def _trust(answer: Answer, view: View) -> Html | None:
    trust = answer["trust"]
    if trust is None:
        return None
    facts = (
        ("in its file", str(trust["given"])),
        ("trusted with", str(trust["level"])),
        ("runs as", str(trust["mode"] or "-")),
        ("kept by", parts.line(trust["whose"] or "", 120)),
        ("worked", f"{trust['wins']:,}, {trust['losses']:,} did not"),
        ("in a row", f"{trust['streak']:,}"),
        ("proposed", parts.tag("work", str(trust["proposed"])) if trust["proposed"] else None),
    )
    changes = (
        element(
            "li",
            f"{each['kind']!s}: {each['before']} to {each['after']} by {parts.line(each['by'], 80)}, ",
            parts.ago(each["at"], view.now),
            f": {parts.line(each['why'], 200)}" if each["why"] else None,
        )
        for each in trust["changes"][:CHANGES_SHOWN]
    )
    return parts.section(
        "Trust in its fix",
        parts.facts(facts),
        parts.fold("How it came so far", element("ul", *changes)) if trust["changes"] else None,
        id="trust",
    )


def _breakers(rows: Sequence[Row], view: View) -> Html | None:
    if not rows:
        return None
    return parts.section(
        "Its breakers", element("ul", *(_breaker(each, view) for each in rows), class_="plain-list"), id="breakers"
    )


def _breaker(row: Row, view: View) -> Html:
    closed = row["status"] == BreakerStatus.CLOSED
    named = urlencode({"rule": row["rule_id"], "target": row["target"]})
    left = parts.left(row["open_until"], view.now) if not closed else None
    return element(
        "li",
        parts.tag("good" if closed else "bad", str(row["status"]).replace("_", " ")),
        f" {parts.line(row['target'] or 'every target', 80)}, {several(row['failures'], 'failure')} ",
        left,
        joined(" ", parts.button("Close it", f"/breakers/reset?{named}"))
        if not closed and view.caller.may_act
        else None,
    )


def _windows(answer: Answer, view: View) -> Html | None:
    stands = answer["stands"]
    if stands is None or not stands["windows"]:
        return None
    rows = (
        (
            ", ".join(f"{name} {parts.line(value, 80)}" for name, value in each["group"].items()) or "all together",
            parts.line(each["progress"], 160),
            parts.ago(each["newest"], view.now),
        )
        for each in stands["windows"][:WINDOWS_SHOWN]
    )
    return parts.section(
        "Counted now",
        parts.table("Groups that are counted", ("Group", "So far", "Last match"), rows),
        id="windows",
        more=element("p", several(stands["windows_total"], "group")),
    )


def _box(answer: Answer, view: View) -> Html | None:
    if answer["said"] is None:
        return None
    lead = "What this rule says of it, and what else knows it. Nothing is counted, and nothing runs."
    return explaining.box(answer["explained"], _base(answer), view, lead=lead)


PAGE = Page(
    path="/rules/{id}",
    title=lambda answer: f"Rule {parts.line(answer['id'], 80)}",
    gather=gather,
    render=render,
    topics=frozenset({Topic.RULES, Topic.INCIDENTS, Topic.FIXES}),
)
