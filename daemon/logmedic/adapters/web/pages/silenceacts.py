"""A new silence: what it would cover is said before it is added."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from logmedic.adapters.web.html import Html, element, joined
from logmedic.adapters.web.pages import parts
from logmedic.adapters.web.pages.action import FOR, WHY, Action, Field, Kind, Order, Outcome, Subject, lasting
from logmedic.adapters.web.parameters import BadRequest
from logmedic.core.phrases import several
from logmedic.core.shellwords import command
from logmedic.model.severity import Severity

COVERED_SHOWN = 20
_LASTS = (("1h", "1 hour"), ("4h", "4 hours"), ("24h", "1 day"), ("7d", "7 days"))
_SEVERITIES = (("", "any"), *((each.value, each.value) for each in reversed(Severity)))
_TAG = Field("tag", "Tag", longest=80, help="Of what has this tag; empty: any.")
_RULE = Field("rule", "Rule", longest=200, help="A name, or a pattern with a star: pg-*")
_SOURCE = Field("source", "Source", longest=200, help="A name, or a pattern with a star.")
_EVERYTHING = Field("everything", "It may keep everything quiet", Kind.FLAG)
_LOOK = timedelta(hours=1)
"""What is only looked at needs an end, too."""


def _meant(order: Order) -> dict[str, Any]:
    told = {name: order.told(name) for name in ("rule", "source")}
    severity, tag = order.told("severity"), order.told("tag")
    if severity and severity not in [each.value for each in Severity]:
        raise BadRequest(f"`severity` is `{severity[:40]}`", "low, medium, high or critical")
    return {
        "severities": (Severity(severity),) if severity else (),
        "tags": (tag,) if tag else (),
        "labels": {name: pattern for name, pattern in told.items() if pattern},
        "everything": order.told("everything") == "yes",
    }


async def _subject(order: Order) -> Subject:
    """Of what the address names: what is open of it. An empty form is about nothing yet."""
    meant = _meant(order)
    if order.by or not (meant["severities"] or meant["tags"] or meant["labels"]):
        return Subject("Silences", "/alerts")
    would = await order.control.add_silence("", "", order.now + _LOOK, rehearse=True, **meant)
    return Subject("Silences", "/alerts", more=_covers(would))


def _covers(row: parts.Row) -> Html:
    if not row["covers_total"]:
        return element("p", "Nothing that is open is covered by it; what comes would be.")
    listed = (
        element("li", parts.severity(each), " ", parts.line(each["title"], 160))
        for each in row["covers"][:COVERED_SHOWN]
    )
    left = row["covers_total"] - COVERED_SHOWN
    more = element("li", f"and {left:,} more") if left > 0 else None
    return joined(
        element(
            "p",
            f"It would cover {several(row['covers_total'], 'thing')} that is open:"
            if row["covers_total"] == 1
            else f"It would cover {row['covers_total']:,} things that are open:",
        ),
        element("ul", *listed, more, class_="plain-list"),
    )


async def _add(order: Order) -> Outcome:
    until = order.ends(FOR)
    if until is None:
        raise BadRequest("a silence has an end", "choose for how long")
    made = await order.control.add_silence(order.by, order.told("why"), until, **_meant(order))
    covers = made["covers_total"]
    more = f"; it covers {covers:,} that {'is' if covers == 1 else 'are'} open" if covers else ""
    return Outcome(f"silent until {parts.moment(made['until'])}{more}", "end it on the page of alerts")


ACTIONS = (
    Action(
        "/silences/new",
        "Keep something quiet?",
        "Nobody is told of what fits all that is named here, until its time is over. Fixes go on as before.",
        "Silence it",
        _subject,
        _add,
        fields=(
            lasting(*_LASTS),
            lasting(*_SEVERITIES, label="Severity", name="severity"),
            _TAG,
            _RULE,
            _SOURCE,
            WHY,
            _EVERYTHING,
        ),
        typed=lambda _: command("silence", "--help"),
    ),
)
