"""One thing that waits for a person: what it is, until when, what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

from logmedic.adapters.web.html import Html, Part, element, joined
from logmedic.adapters.web.pages import parts
from logmedic.adapters.web.pages.page import View
from logmedic.model.need import NeedKind

Row = parts.Row
_KINDS = {
    NeedKind.APPROVAL: ("wait", "a fix asks you"),
    NeedKind.FIX_FAILED: ("bad", "the fix did not help"),
    NeedKind.INCIDENT: ("bad", "no fix will do it"),
    NeedKind.BREAKER_OPEN: ("bad", "breaker open"),
    NeedKind.ISSUE: ("wait", "an unknown error goes on"),
    NeedKind.UNREACHABLE: ("bad", "nobody can be told"),
    NeedKind.RECEIVER_DEAD: ("bad", "a receiver is dead"),
    NeedKind.STORE: ("bad", "the store ails"),
    NeedKind.DISARMED: ("bad", "fixes are disarmed"),
    NeedKind.PART_FAILED: ("bad", "a part failed"),
    NeedKind.SOURCE_QUIET: ("wait", "a source is quiet"),
    NeedKind.REFUSED_RELOAD: ("wait", "rules were refused"),
    NeedKind.QUARANTINED: ("wait", "a rule is in quarantine"),
    NeedKind.PAUSED: ("wait", "fixes are paused"),
    NeedKind.PROPOSAL: ("work", "a fix has earned more"),
}
_OF_INCIDENTS = frozenset({NeedKind.APPROVAL, NeedKind.FIX_FAILED, NeedKind.INCIDENT})


def card(row: Row, number: int, view: View) -> Html:
    kind = NeedKind(row["kind"])
    tone, words = _KINDS[kind]
    above = joined(
        parts.tag(tone, words),
        " ",
        parts.severity(row),
        joined(" ", parts.tag("soft", f"{parts.line(row['acked_by'], 80)} takes care of it"))
        if row["acked_by"]
        else None,
    )
    name = f"need-{number}"
    return element(
        "article",
        element("p", above, class_="over-title"),
        element("h2", _titled(row), id=name),
        _times(row, view),
        element("p", parts.line(row["detail"], 600)) if row["detail"] else None,
        element("p", element("b", "Next: "), parts.line(row["to_do"], 400)) if row["to_do"] else None,
        _foot(kind, row),
        class_=f"card need {tone}",
        aria_labelledby=name,
    )


def _foot(kind: NeedKind, row: Row) -> Html:
    buttons = list(_buttons(kind, row))
    return element(
        "div",
        element("div", *buttons, class_="buttons") if buttons else None,
        parts.shell(row["command"]) if row["command"] else None,
        class_="foot",
    )


def _titled(row: Row) -> Html | str:
    place = _place(row)
    text = parts.line(row["title"])
    return element("a", text, href=place) if place else text


def _place(row: Row) -> str:
    for name, base in (("incident", "/incidents"), ("issue", "/learned"), ("rule", "/rules")):
        if row[name]:
            return f"{base}/{quoted(row[name])}"
    return "/alerts" if row["receiver"] or row["kind"] == NeedKind.UNREACHABLE else ""


def _times(row: Row, view: View) -> Html | None:
    if not row["since"] and not row["until"]:
        return None
    shown: list[Part] = [parts.ago(row["since"], view.now)] if row["since"] else []
    if row["until"]:
        shown += [" · " if shown else None, element("span", parts.left(row["until"], view.now), class_="countdown")]
    return element("p", *shown, class_="soft")


def _buttons(kind: NeedKind, row: Row) -> Iterator[Html]:
    """The first is what is most likely meant."""
    if kind in _OF_INCIDENTS:
        yield from _of_incident(kind, row)
    elif kind is NeedKind.BREAKER_OPEN:
        target = urlencode({"rule": row["rule"], "target": row["target"]})
        yield parts.button("Close the breaker", f"/breakers/reset?{target}")
    elif kind is NeedKind.ISSUE:
        yield parts.button("Draft a rule", f"/issues/{quoted(row['issue'])}/promote", "main")
        yield parts.button("Mute", f"/issues/{quoted(row['issue'])}/mute")
        yield parts.button("Resolve", f"/issues/{quoted(row['issue'])}/resolve")
    elif kind is NeedKind.RECEIVER_DEAD:
        yield parts.button("Send it a test", f"/receivers/{quoted(row['receiver'])}/test")
    elif kind is NeedKind.UNREACHABLE:
        yield parts.button("Look at the receivers", "/alerts")
    elif kind in (NeedKind.REFUSED_RELOAD, NeedKind.QUARANTINED):
        yield parts.button("Load the rules again", "/reload")
    elif kind is NeedKind.PAUSED:
        yield parts.button("Let fixes run again", "/resume", "good")
    elif kind is NeedKind.PROPOSAL:
        yield parts.button("Decide", f"/rules/{quoted(row['rule'])}/trust", "main")


def _of_incident(kind: NeedKind, row: Row) -> Iterator[Html]:
    base = f"/incidents/{quoted(row['incident'])}"
    if kind is NeedKind.APPROVAL:
        yield parts.button("Approve", f"{base}/approve", "good")
        yield parts.button("Reject", f"{base}/reject")
    if not row["acked_by"]:
        yield parts.button("I take care of it", f"{base}/ack", "" if kind is NeedKind.APPROVAL else "main")
    yield parts.button("Silence", f"{base}/silence")


def quoted(text: Any) -> str:
    return quote(str(text), safe="")
