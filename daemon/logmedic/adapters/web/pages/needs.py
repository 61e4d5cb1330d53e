"""Needs you: what waits for a person, and what to do about each. When nothing does: what goes well without one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request

from logmedic.adapters.web.html import Html, Part, element, joined
from logmedic.adapters.web.pages import parts
from logmedic.adapters.web.pages.page import Answer, Page, View
from logmedic.core.phrases import several
from logmedic.model.live import Topic
from logmedic.model.need import NeedKind
from logmedic.ports import Control

Row = parts.Row
FIXED_SHOWN = 6
LATELY = timedelta(hours=24)

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


async def gather(control: Control, request: Request) -> Answer:
    status = await control.status()
    since = datetime.now(UTC) - LATELY
    return {
        "needs": await control.needs(),
        "needs_total": (await control.brief())["needs_you"],
        "watched": {
            "sources": status["sources_total"],
            "rules": status["rules"]["loaded"],
            "mode": status["mode"],
            "armed": status["arming"]["armed"],
            "paused": bool(status["pauses"]),
        },
        "stats": status["stats"],
        "fixed": await control.ask("fixes", since=since, verdict="fixed", limit=FIXED_SHOWN),
    }


def title(answer: Answer) -> str:
    total = answer["needs_total"]
    return f"({total:,}) Needs you" if total else "Needs you"


def render(answer: Answer, view: View) -> Html:
    needs = answer["needs"]
    cards = [_card(each, number, view) for number, each in enumerate(needs, start=1)]
    return joined(
        parts.heading("Needs you", _lead(answer)),
        parts.columns(
            joined(*cards, _more(answer)) if needs else _happy(answer),
            joined(_watched(answer), _fixed(answer, view)),
        ),
    )


def _lead(answer: Answer) -> str:
    total = answer["needs_total"]
    if not total:
        return "Nothing waits for a person."
    taken = sum(1 for each in answer["needs"] if each["acked_by"])
    more = f"; somebody takes care of {taken:,}" if taken else ""
    return f"{several(total, 'thing waits', 'things wait')} for a person, the most urgent first{more}."


def _more(answer: Answer) -> Html | None:
    left = answer["needs_total"] - len(answer["needs"])
    if left <= 0:
        return None
    return parts.nothing(
        f"And {left:,} more, which come up as these go.", element("a", "All incidents", href="/incidents")
    )


def _happy(answer: Answer) -> Html:
    return element(
        "section",
        element("p", "✓", class_="sign", aria_hidden="true"),
        element("h2", "Nothing needs you"),
        element("p", _calm(answer), class_="soft"),
        class_="card happy",
    )


def _calm(answer: Answer) -> str:
    fixed = answer["stats"]["auto_fixed"]
    if not answer["stats"]["total_errors"]:
        return "No error in the last 24 hours."
    done = f"{several(fixed, 'was', 'were')} fixed without you" if fixed else "none of them wanted a fix"
    return f"{several(answer['stats']['total_errors'], 'error')} in the last 24 hours; {done}."


# -- one need ----------------------------------------------------------------------------------------------------------


def _card(row: Row, number: int, view: View) -> Html:
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
            return f"{base}/{_quoted(row[name])}"
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
        yield parts.button("Draft a rule", f"/issues/{_quoted(row['issue'])}/promote", "main")
        yield parts.button("Mute", f"/issues/{_quoted(row['issue'])}/mute")
        yield parts.button("Resolve", f"/issues/{_quoted(row['issue'])}/resolve")
    elif kind is NeedKind.RECEIVER_DEAD:
        yield parts.button("Send it a test", f"/receivers/{_quoted(row['receiver'])}/test")
    elif kind is NeedKind.UNREACHABLE:
        yield parts.button("Look at the receivers", "/alerts")
    elif kind in (NeedKind.REFUSED_RELOAD, NeedKind.QUARANTINED):
        yield parts.button("Load the rules again", "/reload")
    elif kind is NeedKind.PAUSED:
        yield parts.button("Let fixes run again", "/resume", "good")
    elif kind is NeedKind.PROPOSAL:
        yield parts.button("Decide", f"/rules/{_quoted(row['rule'])}/trust", "main")


def _of_incident(kind: NeedKind, row: Row) -> Iterator[Html]:
    base = f"/incidents/{_quoted(row['incident'])}"
    if kind is NeedKind.APPROVAL:
        yield parts.button("Approve", f"{base}/approve", "good")
        yield parts.button("Reject", f"{base}/reject")
    if not row["acked_by"]:
        yield parts.button("I take care of it", f"{base}/ack", "" if kind is NeedKind.APPROVAL else "main")
    yield parts.button("Silence", f"{base}/silence")


def _quoted(text: Any) -> str:
    return quote(str(text), safe="")


# -- what goes well ----------------------------------------------------------------------------------------------------


def _watched(answer: Answer) -> Html:
    watched, stats = answer["watched"], answer["stats"]
    rate = stats["auto_fix_success_rate"]
    share = f" ({parts.percent(rate)} of what was tried)" if rate is not None else ""
    recovery = stats["avg_recovery_time_s"]
    return parts.section(
        "Watched now",
        parts.facts(
            (
                ("sources", f"{watched['sources']:,}"),
                ("rules", f"{watched['rules']:,}"),
                ("fixes", _armed(watched)),
                ("errors, 24 h", f"{stats['total_errors']:,}"),
                ("fixed by itself", f"{stats['auto_fixed']:,}{share}"),
                ("mean recovery", parts.span(recovery)),
            )
        ),
        id="watched",
        more=element("a", "Pulse", href="/pulse"),
    )


def _armed(watched: Row) -> Html:
    if watched["paused"]:
        return parts.tag("wait", "paused")
    if not watched["armed"]:
        return parts.tag("bad", "disarmed")
    words = {
        "observe": "only observed: none is run",
        "approve": "run when somebody approves",
        "auto": "run by themselves",
    }
    mode = str(watched["mode"])
    return parts.tag("soft" if mode == "observe" else "good", words.get(mode, mode))


def _fixed(answer: Answer, view: View) -> Html:
    rows = answer["fixed"]
    listed = (
        element(
            "li",
            element("span", "✓", class_="mark good", aria_hidden="true"),
            element(
                "div",
                element(
                    "p", element("a", parts.line(each["title"]), href=f"/incidents/{_quoted(each['incident_id'])}")
                ),
                element(
                    "p", f"by {parts.line(each['step_name'], 80)} in {parts.span(each['duration_s'])}", class_="soft"
                ),
                class_="what",
            ),
            element("span", parts.ago(each["finished_at"] or each["started_at"], view.now), class_="when"),
        )
        for each in rows
    )
    shown = (
        element("ul", *listed, class_="timeline plain")
        if rows
        else parts.nothing("No fix had to run in the last 24 hours.")
    )
    return parts.section("Fixed lately", shown, id="fixed", more=element("a", "All fixes", href="/fixes"))


PAGE = Page(
    path="/",
    title=title,
    gather=gather,
    render=render,
    topics=frozenset(Topic),
)
