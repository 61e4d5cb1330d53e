"""What holds the fix of an incident now, and what is wanted of people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from logmedic.adapters.web.html import Html, Part, element, joined
from logmedic.adapters.web.pages import parts
from logmedic.adapters.web.pages.page import View
from logmedic.core.shellwords import command, short
from logmedic.model.issue import HoldReason, IncidentStatus

Row = parts.Row
_NEXT: Mapping[str, str] = {
    HoldReason.OBSERVE: "It is only observed: raise the trust in its fix, or the daemon's mode, to let it run.",
    HoldReason.AWAITING_APPROVAL: "It waits for somebody to say yes or no.",
    HoldReason.BREAKER_OPEN: "Mend what makes the fix fail, then close the breaker.",
    HoldReason.DISARMED: "No fix runs on this host: `logmedic doctor` says what is missing.",
    HoldReason.PAUSED: "All fixes are paused; somebody has to let them run again.",
    HoldReason.STALE: "It is about what was long ago; it begins anew with the next match.",
    HoldReason.OWN_CAUSE: "Fixes seem to set each other off: look at what they do to one another.",
    HoldReason.NO_FIX: "Its rule has no fix: repair it by hand.",
    HoldReason.BUDGET: "Too many fixes ran in the last hour; it goes on by itself.",
    HoldReason.CAUSE: "What it depends on is fixed first; it goes on by itself.",
    HoldReason.REJECTED: "Somebody said no; the next match asks again.",
    HoldReason.COOLDOWN: "It goes on by itself once the cooldown is over.",
    HoldReason.BUSY: "Something else is at work there; it goes on by itself.",
    HoldReason.MAINTENANCE: "Maintenance is under way; it goes on by itself.",
    HoldReason.WARMING_UP: "The daemon has only just begun; it goes on by itself.",
}
_FAILED = "Its fix did not hold: repair it by hand; what its steps said is below."


def card(row: Row, why: Row, view: View) -> Html:
    """`row` of an incident that is open, `why` of Control.why."""
    checks = why["checks"]
    held = [each for each in checks if not each["ok"]]
    others = [each for each in checks if each not in held[:1]]
    more = parts.fold(f"All {len(checks)} questions", _checks(others, view)) if others else None
    return parts.section(
        "What is wanted now",
        element("p", parts.line(_next(row, held), 400)),
        element("p", parts.line(why["note"], 400)) if why["note"] else None,
        _checks(held[:1], view) if held else None,
        _way_out(row, held),
        more,
        parts.shell(command("why", short(row["id"]))),
        id="now",
    )


def _next(row: Row, held: list[Row]) -> str:
    reason = held[0]["reason"] if held else ""
    if row["status"] == IncidentStatus.FAILED and reason in ("", HoldReason.COOLDOWN):
        return _FAILED
    if reason in _NEXT:
        return _NEXT[reason]
    if row["status"] == IncidentStatus.OPEN:
        return "Nothing holds its fix now; the next match starts it." if row["hold"] else "It is open."
    return f"Nothing: its fix is under way ({row['status']})."


def _checks(checks: Iterable[Row], view: View) -> Html:
    listed = (
        element(
            "li",
            element("span", "✓" if each["ok"] else "✗", class_="good" if each["ok"] else "bad", aria_hidden="true"),
            element(
                "b",
                parts.line(each["name"], 60),
                element("span", ": passes" if each["ok"] else ": holds it", class_="heard"),
            ),
            element("span", parts.line(each["detail"], 400), _until(each, view)),
        )
        for each in checks
    )
    return element("ul", *listed, class_="checks")


def _until(check: Row, view: View) -> Part:
    return joined(" (", parts.left(check["until"], view.now), ")") if check["until"] else None


def _way_out(row: Row, held: list[Row]) -> Html | None:
    rule = quote(row["rule_id"], safe="")
    match held[0]["reason"] if held else "":
        case HoldReason.OBSERVE:
            return element("p", parts.button("Trust in its fix", f"/rules/{rule}/trust"))
        case HoldReason.BREAKER_OPEN:
            return element("p", parts.button("Close the breaker", f"/breakers/reset?rule={rule}"))
        case HoldReason.PAUSED:
            return element("p", parts.button("Let fixes run again", "/resume", "good"))
    return None
