"""Incidents: all of them, by what the address asks for; as a list, or a row a rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from logmedic.adapters.web.html import Html, Part, element, joined
from logmedic.adapters.web.pages import asked, parts
from logmedic.adapters.web.pages.page import Answer, Page, View
from logmedic.core.paging import cursor_of
from logmedic.core.phrases import several
from logmedic.model.issue import IncidentStatus
from logmedic.model.live import Topic
from logmedic.model.severity import Severity
from logmedic.ports import Control

Row = parts.Row
PER_PAGE = 50
GROUPED = 500
"""Of the newest incidents, so many are put together by rule."""
TREND, SLOTS = timedelta(hours=24), 24
_STATUSES = (
    ("", "open"),
    ("all", "open and over"),
    (IncidentStatus.OPEN.value, "open, no fix at work"),
    *((each.value, each.value) for each in IncidentStatus if each is not IncidentStatus.OPEN),
)
_SEVERITIES = (("", "any"), *((each.value, each.value) for each in reversed(Severity)))


async def gather(control: Control, request: Request) -> Answer:
    grouped = asked.one_of(request, "group", ("rule",)) == "rule"
    status = asked.one_of(request, "status", [value for value, _ in _STATUSES])
    most = GROUPED if grouped else PER_PAGE
    rows = await control.ask(
        "incidents",
        everything=status == "all",
        status="" if status == "all" else status,
        severity=asked.one_of(request, "severity", list(Severity)),
        rule=asked.text(request, "rule"),
        source=asked.text(request, "source"),
        issue=asked.text(request, "issue"),
        text=asked.text(request, "text"),
        request=asked.text(request, "request"),
        since=asked.period(request),
        limit=most + 1,
        cursor=asked.text(request, "cursor"),
    )
    shown = rows[:most]
    until = datetime.now(UTC)
    rules = sorted({each["rule_id"] for each in shown})
    return {
        "incidents": shown,
        "next": cursor_of("incidents", shown[-1]) if len(rows) > most else "",
        "groups": _groups(shown) if grouped else None,
        "sparks": await control.ask("sparks", rules=rules, since=until - TREND, until=until, slots=SLOTS)
        if rules
        else {},
    }


def _groups(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A row a rule: what is open first, then the gravest, then the most."""
    found: dict[str, dict[str, Any]] = {}
    for each in rows:  # newest first
        group = found.setdefault(
            each["rule_id"],
            {
                "rule_id": each["rule_id"],
                "title": each["title"],
                "newest": each["id"],
                "severity": each["severity"],
                "incidents": 0,
                "open": 0,
                "failed": 0,
                "occurrences": 0,
                "last_opened_at": each["opened_at"],
            },
        )
        group["incidents"] += 1
        group["open"] += each["status"] != IncidentStatus.RESOLVED
        group["failed"] += each["status"] == IncidentStatus.FAILED
        group["occurrences"] += each["occurrences"]
        group["severity"] = max(group["severity"], each["severity"], key=lambda told: Severity(told).rank)
    return sorted(found.values(), key=lambda each: (not each["open"], -Severity(each["severity"]).rank, -each["open"]))


def render(answer: Answer, view: View) -> Html:
    groups = answer["groups"]
    shown = _grouped(answer, view) if groups is not None else _listed(answer, view)
    return joined(
        parts.heading("Incidents", _lead(answer, view), more=_views(view)),
        _filters(view.query),
        element("section", shown, class_="card", aria_label="Incidents"),
    )


def _lead(answer: Answer, view: View) -> str:
    count = len(answer["incidents"])
    usual = "" if view.query.get("request") else "open "
    kind = {"": usual, "all": ""}.get(view.query.get("status", ""), f"{view.query.get('status', '')} ")
    what = several(count, f"{kind}incident") + (" on this page, older ones follow" if answer["next"] else "")
    if answer["groups"] is not None:
        of = several(len(answer["groups"]), "rule")
        return f"{what} of {of}" if not answer["next"] else f"the newest {count} {kind}incidents, of {of}"
    return f"{what}, newest first"


def _views(view: View) -> Html:
    """From the list to the groups and back, with the same filters."""
    rest = {name: value for name, value in view.query.items() if name not in ("group", "cursor")}
    if view.query.get("group"):
        return parts.button("As a list", _address(rest))
    return parts.button("By rule", _address({**rest, "group": "rule"}))


def _address(query: Mapping[str, str]) -> str:
    return f"/incidents?{urlencode(query)}" if query else "/incidents"


def _filters(query: Mapping[str, str]) -> Html:
    def told(name: str) -> str:
        return query.get(name, "")

    grouped = element("input", type="hidden", name_="group", value="rule") if told("group") else None
    clear = element("a", "Clear", href="/incidents") if set(query) - {"group", "cursor"} else None
    return parts.filters(
        "/incidents",
        parts.words("text", "Title or line", told("text")),
        parts.choices("status", "State", _STATUSES, told("status")),
        parts.choices("severity", "Severity", _SEVERITIES, told("severity")),
        parts.words("rule", "Rule", told("rule")),
        parts.words("source", "Source", told("source")),
        parts.words("request", "Request", told("request")),
        parts.choices("since", "Opened in", _periods(told("since")), told("since")),
        joined(grouped, clear),
    )


def _periods(chosen: str) -> Sequence[tuple[str, str]]:
    """An address may ask for others."""
    known = [value for value, _ in asked.PERIODS]
    return asked.PERIODS if chosen in known else (*asked.PERIODS, (chosen, chosen))


# -- as a list ---------------------------------------------------------------------------------------------------------

_HEADINGS = ("Severity", "Incident", "State", "Seen", "Opened", "Its rule, 24 h")


def _listed(answer: Answer, view: View) -> Html:
    rows = answer["incidents"]
    if not rows:
        return _none(view)
    return joined(
        parts.table("Incidents", _HEADINGS, (_cells(each, answer, view) for each in rows), numbers=("Seen",)),
        parts.following("/incidents", _without_cursor(view.query), answer["next"]),
    )


def _none(view: View) -> Html:
    if set(view.query) - {"group"}:
        return parts.nothing("No incident fits.", element("a", "Show all that are open", href="/incidents"))
    return parts.nothing("No incident is open.", element("a", "Show those that are over", href="/incidents?status=all"))


def _without_cursor(query: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in query.items() if name != "cursor"}


def _cells(row: Row, answer: Answer, view: View) -> Sequence[Part]:
    return (
        parts.severity(row),
        joined(
            element("span", parts.incident_link(row), class_="main-cell"),
            element("p", _about(row), class_="soft"),
        ),
        joined(parts.state(row), _due(row, view)),
        f"{row['occurrences']:,}x",
        parts.ago(row["opened_at"], view.now),
        _trend(row["rule_id"], answer),
    )


def _about(row: Row) -> Html:
    """What tells it from others with the same title."""
    more = " · ".join(parts.line(each, 80) for each in (row["source"], row["group_key"]) if each)
    return joined(parts.short_id(row), " ", parts.rule_link(row["rule_id"]), f" · {more}" if more else None)


def _due(row: Row, view: View) -> Html | None:
    """Until when somebody may answer."""
    if row["hold"] != "awaiting_approval" or not row["due_at"]:
        return None
    return element("p", parts.left(row["due_at"], view.now), class_="soft")


def _trend(rule_id: str, answer: Answer) -> Html | str:
    slots = answer["sparks"].get(rule_id)
    if not slots:
        return "-"
    return parts.spark(
        slots, f"{several(sum(slots), 'incident')} of this rule in 24 hours, {slots[-1]} in the last one"
    )


# -- by rule -----------------------------------------------------------------------------------------------------------

_GROUP_HEADINGS = ("Severity", "Rule", "Open", "All", "Seen", "Last opened", "24 h")


def _grouped(answer: Answer, view: View) -> Html:
    groups = answer["groups"]
    if not groups:
        return _none(view)
    rest = {name: value for name, value in _without_cursor(view.query).items() if name != "group"}
    rows = (
        (
            parts.severity(each),
            joined(
                element(
                    "a",
                    parts.line(each["rule_id"]),
                    href=_address({**rest, "rule": each["rule_id"]}),
                    class_="main-cell",
                ),
                element("p", parts.line(each["title"]), class_="soft"),
            ),
            _open(each),
            f"{each['incidents']:,}",
            f"{each['occurrences']:,}x",
            parts.ago(each["last_opened_at"], view.now),
            _trend(each["rule_id"], answer),
        )
        for each in groups
    )
    return joined(
        parts.table("Incidents by rule", _GROUP_HEADINGS, rows, numbers=("Open", "All", "Seen")),
        parts.following("/incidents", _without_cursor(view.query), answer["next"]),
    )


def _open(group: Row) -> Html | str:
    if not group["open"]:
        return "0"
    failed = f", {group['failed']:,} failed" if group["failed"] else ""
    return parts.tag("bad" if failed else "wait", f"{group['open']:,}{failed}")


PAGE = Page(
    path="/incidents",
    title=lambda _: "Incidents",
    gather=gather,
    render=render,
    topics=frozenset({Topic.INCIDENTS, Topic.FIXES}),
)
