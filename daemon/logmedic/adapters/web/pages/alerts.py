"""Alerts: what people were told, and what became of it; who is told; what is kept quiet; where news would go."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import quote

from starlette.requests import Request

from logmedic.adapters.web.html import Html, Part, element, joined
from logmedic.adapters.web.pages import asked, parts, routing
from logmedic.adapters.web.pages.page import Answer, Page, View
from logmedic.core.paging import cursor_of
from logmedic.core.phrases import several
from logmedic.model.alert import AlertStatus
from logmedic.model.alertevent import AlertEvent
from logmedic.model.live import Topic
from logmedic.ports import Control

Row = parts.Row
PER_PAGE = 50
SILENCES_SHOWN, COVERED_SHOWN = 30, 5
_WAITING = "waiting"
_STATUSES = (
    ("", "any"),
    (_WAITING, "still to be told"),
    (AlertStatus.SENT.value, "arrived"),
    (AlertStatus.DEAD.value, "given up"),
    (AlertStatus.DEFERRED.value, "waits for its time"),
    (AlertStatus.FOLDED.value, "told in another one"),
)
_EVENTS = (("", "any"), *((each.value, each.value.replace("_", " ")) for each in AlertEvent))
_OUTBOX = ("status", "receiver", "event", "since", "cursor")
"""Of the address, what asks for messages."""


async def gather(control: Control, request: Request) -> Answer:
    status = asked.one_of(request, "status", [value for value, _ in _STATUSES])
    rows, receivers, silences, routed = await asyncio.gather(
        control.ask(
            "alerts",
            status=status,
            receiver=asked.text(request, "receiver"),
            event=asked.one_of(request, "event", list(AlertEvent)),
            since=asked.period(request),
            limit=PER_PAGE + 1,
            cursor=asked.text(request, "cursor"),
        ),
        control.receivers(),
        control.silences(),
        routing.answered(control, request),
    )
    shown = rows[:PER_PAGE]
    return {
        "receivers": receivers,
        "silences": silences,
        "alerts": shown,
        "next": cursor_of("alerts", shown[-1]) if len(rows) > PER_PAGE else "",
        "routed": routed,
    }


def render(answer: Answer, view: View) -> Html:
    return joined(
        parts.heading("Alerts", _lead(answer)),
        _receivers(answer["receivers"], view),
        _silences(answer["silences"], view),
        _outbox(answer, view),
        routing.box(answer["routed"], view),
    )


def _lead(answer: Answer) -> str:
    receivers = answer["receivers"]
    if not receivers:
        return "Nobody is told of anything: there is no receiver."
    working = sum(1 for each in receivers if each["state"] == "ok")
    quiet = sum(1 for each in answer["silences"] if each["state"] == "in force")
    told = "no receiver works" if not working else f"{working} of {several(len(receivers), 'receiver')} work"
    return f"{told[:1].upper()}{told[1:]}; {several(quiet, 'silence')} in force."


# -- who is told -------------------------------------------------------------------------------------------------------

_STATES = {"ok": "good", "breaker open": "wait", "disabled": "bad", "unusable": "bad"}


def _receivers(rows: Sequence[Row], view: View) -> Html:
    if not rows:
        return parts.section(
            "Receivers",
            parts.nothing(
                "There is none: name one under alerts.receivers in the config, with its URL in a file.",
                joined("Then try it: ", element("code", "logmedic alerts test")),
            ),
            id="receivers",
        )
    headings = ("Receiver", "State", "To be told", "Last arrived", "Last error", "")
    return parts.section(
        "Receivers",
        parts.table("Receivers", headings, (_receiver(each, view) for each in rows)),
        id="receivers",
    )


def _receiver(row: Row, view: View) -> Sequence[Part]:
    waits = [f"{row['pending']:,} to be sent"] if row["pending"] else []
    waits += [f"{row['deferred']:,} wait"] if row["deferred"] else []
    waits += [f"{row['dead']:,} given up"] if row["dead"] else []
    error = (
        joined(
            parts.line(row["last_error"], 200),
            " ",
            element("span", parts.ago(row["last_error_at"], view.now, ""), class_="soft"),
        )
        if row["last_error"]
        else "-"
    )
    routes = ", ".join(parts.line(each, 60) for each in row["routes"])
    return (
        joined(
            element("span", parts.line(row["name"], 80), class_="main-cell"),
            element("p", f"{row['scheme']}, {f'by {routes}' if routes else 'by no route'}", class_="soft"),
        ),
        _receiver_state(row, view),
        ", ".join(waits) or "-",
        parts.ago(row["sent_at"], view.now),
        error,
        parts.button("Test", f"/receivers/{quote(str(row['name']), safe='')}/test") if view.caller.may_act else None,
    )


def _receiver_state(row: Row, view: View) -> Html:
    state = str(row["state"])
    if state == "ok" and row["failures"]:
        return parts.tag("wait", f"failing, {row['failures']} in a row")
    sign = parts.tag(_STATES.get(state, "soft"), "works" if state == "ok" else state)
    if state != "breaker open":
        return sign
    ends = "a trial is under way" if row["trial"] else parts.left(row["open_until"], view.now)
    return joined(sign, element("p", ends, class_="soft"))


# -- what is kept quiet ------------------------------------------------------------------------------------------------


def _silences(rows: Sequence[Row], view: View) -> Html:
    new = element("a", "New silence", href="/silences/new") if view.caller.may_act else None
    if not rows:
        hint = "A silence keeps people from being told of what it names, for a while: for a release, a known trouble."
        return parts.section("Silences", parts.nothing("Nothing is kept quiet.", hint), id="silences", more=new)
    left = len(rows) - SILENCES_SHOWN
    headings = ("State", "Silence", "What it covers", "Ends", "")
    return parts.section(
        "Silences",
        parts.table("Silences", headings, (_silence(each, view) for each in rows[:SILENCES_SHOWN])),
        parts.nothing(f"And {several(left, 'other')}: logmedic silence list") if left > 0 else None,
        id="silences",
        more=new,
    )


def _silence(row: Row, view: View) -> Sequence[Part]:
    in_force = row["state"] == "in force"
    begins = None if in_force else element("p", "from ", parts.moment(row["starts_at"]), class_="soft")
    return (
        joined(parts.tag("wait" if in_force else "soft", str(row["state"])), begins),
        joined(
            element("span", meant(row), class_="main-cell"),
            element("p", f"{parts.line(row['by'], 80)}: {parts.line(row['why'], 200)}", class_="soft"),
        ),
        _covered(row),
        parts.left(row["until"], view.now),
        parts.button("End it", f"/silences/{quote(str(row['id']), safe='')}/end") if view.caller.may_act else None,
    )


def meant(row: Row) -> str:
    """What it is about, in words."""
    told = [f"severity {' or '.join(row['severities'])}"] if row["severities"] else []
    told += [f"tag {' or '.join(parts.line(each, 60) for each in row['tags'])}"] if row["tags"] else []
    told += [f"{parts.line(name, 60)} {parts.line(pattern, 120)}" for name, pattern in row["labels"].items()]
    return ", ".join(told) or "everything"


def _covered(row: Row) -> Html | str:
    rows, total = row["covers"], row["covers_total"]
    if not total:
        return "nothing that is open"
    listed = (element("li", _subject(each)) for each in rows[:COVERED_SHOWN])
    left = total - min(len(rows), COVERED_SHOWN)
    return element("ul", *listed, element("li", f"and {left:,} more") if left else None, class_="plain-list")


_PLACES = {"incident": "/incidents", "issue": "/learned", "rule": "/rules"}


def _subject(row: Row) -> Html:
    kind, _, name = str(row["subject"]).partition(":")
    text = parts.line(row["title"], 160)
    place = _PLACES.get(kind)
    return joined(
        parts.severity(row), " ", element("a", text, href=f"{place}/{quote(name, safe='')}") if place else text
    )


# -- messages ----------------------------------------------------------------------------------------------------------


def _outbox(answer: Answer, view: View) -> Html:
    rows, query = answer["alerts"], {name: view.query[name] for name in _OUTBOX if name in view.query}
    rest = {name: value for name, value in query.items() if name != "cursor"}
    headings = ("What became of it", "Message", "To", "Made", "")
    body = (
        joined(
            parts.table("Messages", headings, (_message(each, view) for each in rows)),
            parts.following("/alerts", rest, answer["next"]),
        )
        if rows
        else _none(rest)
    )
    return parts.section("Messages", _filters(rest, answer["receivers"]), body, id="outbox")


def _none(query: Mapping[str, str]) -> Html:
    if query:
        return parts.nothing("No message fits.", element("a", "Show all", href="/alerts"))
    return parts.nothing(
        "Nobody was told of anything yet.",
        joined("What would be told of an incident: ", element("code", "logmedic alerts preview INCIDENT")),
    )


def _filters(query: Mapping[str, str], receivers: Sequence[Row]) -> Html:
    names = [str(each["name"]) for each in receivers]
    chosen = query.get("receiver", "")
    known = (
        ("", "any"),
        *((name, parts.line(name, 60)) for name in dict.fromkeys((*names, *([chosen] * bool(chosen))))),
    )
    since = query.get("since", "")
    periods = asked.PERIODS if since in dict(asked.PERIODS) else (*asked.PERIODS, (since, since))
    return parts.filters(
        "/alerts",
        parts.choices("status", "State", _STATUSES, query.get("status", "")),
        parts.choices("receiver", "Receiver", known, chosen),
        parts.choices("event", "About", _EVENTS, query.get("event", "")),
        parts.choices("since", "Made in", periods, since),
        joined(element("a", "Clear", href="/alerts") if query else None),
    )


def _message(row: Row, view: View) -> Sequence[Part]:
    tone, words = parts.message_words(row)
    waits = row["status"] in (AlertStatus.PENDING, AlertStatus.DEFERRED) and _ahead(row["next_at"], view)
    title = parts.line(row["title"], 200)
    of = f"/incidents/{quote(str(row['incident_id']), safe='')}" if row["incident_id"] else ""
    return (
        joined(
            parts.tag(tone, words),
            element("p", parts.left(row["next_at"], view.now), class_="soft") if waits else None,
            element("p", parts.line(row["last_error"], 200), class_="soft") if row["last_error"] else None,
        ),
        joined(
            element("span", element("a", title, href=of) if of else title, class_="main-cell"),
            element("p", str(row["event"]).replace("_", " "), " · ", parts.short_id(row), class_="soft"),
        ),
        joined(
            parts.line(row["receiver"], 80),
            element("p", f"instead of {parts.line(row['fallback_of'], 60)}", class_="soft")
            if row["fallback_of"]
            else None,
        ),
        parts.ago(row["created_at"], view.now),
        _resend(row, view),
    )


def _ahead(at: str, view: View) -> bool:
    return datetime.fromisoformat(at) > view.now


def _resend(row: Row, view: View) -> Html | None:
    if row["status"] != AlertStatus.DEAD or not view.caller.may_act:
        return None
    return parts.button("Send again", f"/alerts/{quote(str(row['id']), safe='')}/resend")


PAGE = Page(
    path="/alerts",
    title=lambda _: "Alerts",
    gather=gather,
    render=render,
    topics=frozenset({Topic.ALERTS, Topic.INCIDENTS}),
)
