"""What no rule knows: learned issues, how they stand, and templates that may become ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from logmedic.adapters.web.html import Html, Part, element, joined
from logmedic.adapters.web.pages import asked, parts
from logmedic.adapters.web.pages.page import Answer, Page, View
from logmedic.core import issuewords
from logmedic.core.paging import cursor_of
from logmedic.core.phrases import several
from logmedic.model.issue import IssueSource, IssueStatus
from logmedic.model.live import Topic
from logmedic.ports import Control

Row = parts.Row
PER_PAGE = 50
TEMPLATES_SHOWN = 25
OVER = (IssueStatus.RESOLVED.value, IssueStatus.MERGED.value)
_STATUSES = (("", "any"), *((each.value, each.value) for each in IssueStatus))
_TONES = {
    "new": "wait",
    "ongoing": "wait",
    "escalating": "bad",
    "regressed": "bad",
    "resolved": "good",
    "muted": "soft",
    "merged": "soft",
}


async def gather(control: Control, request: Request) -> Answer:
    component = asked.text(request, "component")
    rows = await control.ask(
        "issues",
        source=IssueSource.LEARNED.value,
        status=asked.one_of(request, "status", list(IssueStatus)),
        component=component,
        text=asked.text(request, "text"),
        limit=PER_PAGE + 1,
        cursor=asked.text(request, "cursor"),
    )
    shown = rows[:PER_PAGE]
    return {
        "issues": shown,
        "next": cursor_of("issues", shown[-1]) if len(rows) > PER_PAGE else "",
        "templates": await control.ask("templates", component=component, limit=TEMPLATES_SHOWN),
        "precursors": await control.precursors(),
    }


def render(answer: Answer, view: View) -> Html:
    return joined(
        parts.heading("Learned", "Errors that no rule knows: seen often enough, each becomes an issue with a pattern."),
        _filters(view.query),
        element("section", _issues(answer, view), class_="card", aria_label="Learned issues"),
        _templates(answer["templates"], view),
        _precursors(answer["precursors"]),
    )


def issue_link(row: Row) -> Html:
    return element("a", parts.line(row["title"]), href=f"/learned/{quote(str(row['id']), safe='')}")


def state(row: Row, view: View) -> Html:
    return parts.tag(_TONES.get(row["status"], "soft"), issuewords.state_of(row, view.now))


def actions(row: Row, view: View) -> Html | None:
    """What can be decided about it, as far as it can."""
    if not view.caller.may_act or row["status"] == IssueStatus.MERGED:
        return None
    base = f"/issues/{quote(str(row['id']), safe='')}"
    muted = row["status"] == IssueStatus.MUTED
    learned = row["source"] == IssueSource.LEARNED and not issuewords.is_reported(row)
    return element(
        "div",
        parts.button("Draft a rule", f"{base}/promote", "main") if learned else None,
        parts.button("Unmute", f"{base}/unmute") if muted else parts.button("Mute", f"{base}/mute"),
        None if row["status"] in OVER else parts.button("Resolve", f"{base}/resolve"),
        parts.button("Merge", f"{base}/merge") if learned else None,
        class_="buttons",
    )


def _filters(query: Any) -> Html:
    clear = element("a", "Clear", href="/learned") if set(query) - {"cursor"} else None
    return parts.filters(
        "/learned",
        parts.words("text", "Title or pattern", query.get("text", "")),
        parts.choices("status", "State", _STATUSES, query.get("status", "")),
        parts.words("component", "Logged by", query.get("component", "")),
        joined(clear),
    )


def _issues(answer: Answer, view: View) -> Html:
    if not answer["issues"]:
        if set(view.query):
            return parts.nothing("No learned issue fits.", element("a", "Show all", href="/learned"))
        return parts.nothing("Nothing was learned yet: what looks like an error, and no rule knows, is counted below.")
    headings = ("Severity", "Issue", "State", "Seen", "Rate", "Confidence", "Last seen")
    query = {name: value for name, value in view.query.items() if name != "cursor"}
    return joined(
        parts.table(
            "Learned issues",
            headings,
            (_cells(each, view) for each in answer["issues"]),
            numbers=("Seen", "Rate", "Confidence"),
        ),
        parts.following("/learned", query, answer["next"]),
    )


def _cells(row: Row, view: View) -> Sequence[Part]:
    by = ", ".join(parts.line(each, 60) for each in row["tags"] if each != "auto_detected")
    whose = "reported: " if issuewords.is_reported(row) else "logged by "
    return (
        parts.severity(row),
        joined(
            element("span", issue_link(row), class_="main-cell"),
            element("p", parts.short_id(row), f" · {whose}{by}" if by else None, class_="soft"),
        ),
        state(row, view),
        f"{row['occurrences']:,}x",
        issuewords.rate_of(row),
        parts.percent(row["confidence"]),
        parts.ago(row["last_seen"], view.now),
    )


def _templates(rows: Sequence[Row], view: View) -> Html:
    lead = "Seen too seldom to be an issue. What stands in brackets differs from line to line."
    shown = (
        (
            element("code", masked(each["template"])),
            parts.line(each["component"], 60),
            f"{each['occurrences']:,}x",
            parts.ago(each["first_seen"], view.now),
            parts.ago(each["last_seen"], view.now),
        )
        for each in rows
    )
    headings = ("Template", "Logged by", "Seen", "First seen", "Last seen")
    body = parts.table("Templates that are no issue yet", headings, shown, numbers=("Seen",)) if rows else None
    return parts.section(
        "May become issues",
        element("p", lead, class_="soft"),
        body or parts.nothing("No other error was seen."),
        id="templates",
        more=element("p", f"the last {several(len(rows), 'template')}") if rows else None,
    )


def masked(template: str) -> Html:
    """With its variable parts marked."""
    text = parts.line(template, 400)
    pieces: list[Part] = []
    while text:
        before, opened, rest = text.partition("<")
        name, closed, after = rest.partition(">")
        pieces.append(before)
        if opened:
            is_mask = bool(closed) and name.isalnum() and len(name) <= 12
            pieces.append(element("mark", f"<{name}>") if is_mask else opened)
            text = after if is_mask else rest
        else:
            text = ""
    return joined(*pieces)


def _precursors(rows: Sequence[Row]) -> Html | None:
    if not rows:
        return None
    told = (element("li", parts.line(each["sentence"], 400)) for each in rows[:20])
    more = parts.shell("logmedic learned precursors", "All of them: ")
    return parts.section("What tends to come before what", element("ul", *told), more, id="precursors")


PAGE = Page(
    path="/learned",
    title=lambda _: "Learned",
    gather=gather,
    render=render,
    topics=frozenset({Topic.ISSUES}),
)
