"""Live: what happens, newest first. With scripts new entries come by themselves; without, there is a link."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from logmedic.adapters.web.html import Html, element, joined
from logmedic.adapters.web.pages import asked, parts
from logmedic.adapters.web.pages.layout import here
from logmedic.adapters.web.pages.page import Answer, Page, View
from logmedic.core.phrases import several
from logmedic.model.live import Topic
from logmedic.model.severity import Severity
from logmedic.ports import Control

Row = parts.Row
SHOWN = 200
LOOKED_AT = 1000
"""For SHOWN of one kind."""
_TOPICS = tuple(each.value for each in Topic if each is not Topic.STATUS)
_PLACES = {"incident": "/incidents", "rule": "/rules", "issue": "/learned"}


async def gather(control: Control, request: Request) -> Answer:
    """`after`: the newest event that there is, whatever was asked for: new ones come behind it."""
    topic, severity = asked.one_of(request, "topic", _TOPICS), asked.one_of(request, "severity", list(Severity))
    rows = await control.ask("events", newest=True, limit=LOOKED_AT if topic or severity else SHOWN)
    chosen = [each for each in rows if topic in ("", each["topic"]) and severity in ("", each["severity"])]
    return {"after": rows[-1]["id"] if rows else "", "events": chosen[::-1][:SHOWN]}


def render(answer: Answer, view: View) -> Html:
    rows = answer["events"]
    topic, severity = view.query.get("topic", ""), view.query.get("severity", "")
    nothing = element("p", "Nothing happened yet that fits.", id="no-entries", class_="nothing", hidden=bool(rows))
    return joined(
        parts.heading("Live", _lead(rows), more=_controls(view)),
        parts.filters(
            "/live",
            parts.choices("topic", "What", (("", "everything"), *((each, each) for each in _TOPICS)), topic),
            parts.choices(
                "severity", "Severity", (("", "any"), *((each, each) for each in reversed(Severity))), severity
            ),
        ),
        element(
            "section",
            nothing,
            element(
                "ol",
                *(_entry(each) for each in rows),
                id="entries",
                class_="entries",
                reversed=True,
                aria_label="What happened, newest first",
                data_after=answer["after"],
                data_topic=topic,
                data_severity=severity,
                data_keep=True,
            ),
            element("template", _entry(_NOTHING), id="entry"),
            class_="card",
            aria_label="What happens",
        ),
    )


def _lead(rows: list[dict[str, Any]]) -> str:
    return f"Newest first, {several(len(rows), 'entry', 'entries')} to begin with; times are UTC."


def _controls(view: View) -> Html:
    pause = element(
        "button",
        "Pause",
        type="button",
        id="pause",
        aria_pressed="false",
        aria_keyshortcuts="p",
        hidden=True,
        data_scripted=True,
    )
    return joined(pause, element("a", "Load again", href=here(view), class_="button"))


_NOTHING: Row = {
    "id": "",
    "at": "1970-01-01T00:00:00Z",
    "kind": "",
    "subject": "rule:",
    "title": "",
    "severity": "low",
    "text": "",
}


def _entry(row: Row) -> Html:
    """One list item; that of nothing is what live.js fills in."""
    place = _place(row["subject"])
    title = parts.line(row["title"] or row["subject"])
    level = str(row["severity"])
    return element(
        "li",
        parts.clock(row["at"]),
        element(
            "div",
            element("span", str(row["kind"]).replace("_", " "), class_="tag", data_put="kind"),
            element("span", level, class_=f"severity {level}", data_put="severity") if level else None,
            class_="tags",
        ),
        element(
            "div",
            element("p", element("a", title, href=place or None, data_put="title"), class_="main-cell"),
            element("p", parts.line(row["text"], 600), class_="soft", data_put="text"),
        ),
        id=f"e-{row['id']}" if row["id"] else None,
    )


def _place(subject: str) -> str:
    kind, _, name = subject.partition(":")
    return f"{_PLACES[kind]}/{quote(name, safe='')}" if kind in _PLACES else ""


PAGE = Page(path="/live", title=lambda _: "Live", gather=gather, render=render)
