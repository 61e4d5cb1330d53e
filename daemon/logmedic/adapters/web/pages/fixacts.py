"""What can be done about all fixes, and about a breaker."""

from __future__ import annotations

from urllib.parse import quote

from logmedic.adapters.web.html import Html, element, joined
from logmedic.adapters.web.pages import parts
from logmedic.adapters.web.pages.action import WHY, Action, Field, Kind, Order, Outcome, Subject, lasting
from logmedic.adapters.web.parameters import BadRequest
from logmedic.core.phrases import several
from logmedic.core.shellwords import command

UNTIL_RESUMED = "resumed"
PAUSE_LASTS = (
    (UNTIL_RESUMED, "until somebody lets them run again"),
    ("30m", "30 minutes"),
    ("2h", "2 hours"),
    ("8h", "8 hours"),
    ("24h", "24 hours"),
)


# -- breakers ----------------------------------------------------------------------------------------------------------


async def _breakers(order: Order) -> Subject:
    rule, target = order.told("rule"), order.told("target")
    if not rule:
        raise BadRequest("no rule is named", "begin on the page of fixes")
    rows = [
        row
        for row in await order.control.ask("breakers")
        if row["rule_id"] == rule and target in ("", row["target"]) and row["status"] != "closed"
    ]
    on = f" on {target}" if target else ""
    listed = element("ul", *(element("li", *_breaker(row, order)) for row in rows)) if rows else None
    refused = "" if rows else f"no breaker of {rule}{on} is open"
    hidden = {"rule": rule, "target": target}
    return Subject(f"{rule}{on}", f"/rules/{quote(rule, safe='')}", more=listed, hidden=hidden, refused=refused)


def _breaker(row: parts.Row, order: Order) -> tuple[str, ...]:
    failed = f"{several(row['failures'], 'failure')} in a row, " if row["failures"] else ""
    target = parts.line(row["target"] or "the host", 200)
    return f"{target}: {str(row['status']).replace('_', ' ')}, {failed}", parts.left(
        row["open_until"], order.now, "open"
    )


async def _reset(order: Order) -> Outcome:
    rule = order.told("rule")
    rows = await order.control.reset_breaker(rule, order.by, order.told("target"))
    what = several(len(rows), "breaker")
    return Outcome(f"{what} of {rule} closed, and no failure is counted", "the next match starts its fix")


# -- the kill switch ---------------------------------------------------------------------------------------------------


async def _running(order: Order) -> Subject:
    return Subject("All fixes of this host", "/fixes", more=await _pauses(order))


async def _held(order: Order) -> Subject:
    told = await _pauses(order)
    return Subject("All fixes of this host", "/fixes", more=told, refused="" if told else "fixes are not paused")


async def _pauses(order: Order) -> Html | None:
    rows = (await order.control.status())["pauses"]
    if not rows:
        return None
    listed = (
        element(
            "li",
            joined("paused by ", element("b", parts.line(row["by"], 80)), ", ", parts.ago(row["at"], order.now)),
            f": {parts.line(row['why'], 200)}" if row["why"] else None,
            joined(" (", parts.left(row["until"], order.now), ")") if row["until"] else None,
        )
        for row in rows
    )
    return element("ul", *listed)


async def _pause(order: Order) -> Outcome:
    until = order.ends()
    await order.control.pause(order.by, why=order.told("why"), until=until, stop=order.told("stop") == "yes")
    ends = f"until {until:%Y-%m-%d %H:%M} UTC" if until is not None else "until somebody lets them run again"
    return Outcome(f"no fix runs {ends}", "what is found is still counted and told", tone="wait")


async def _resume(order: Order) -> Outcome:
    answer = await order.control.resume(order.by)
    if not answer["paused"]:
        return Outcome("fixes run again", "what waited is looked at once more")
    by = "; ".join(parts.line(row["by"], 200) for row in answer["pauses"])
    return Outcome(f"they are still paused by {by}", "remove that file on the host", tone="wait")


ACTIONS = (
    Action(
        "/breakers/reset",
        "Close the breaker?",
        "The fix may run again at once, and its failures are forgotten. Mend first what made it fail.",
        "Close the breaker",
        _breakers,
        _reset,
        typed=lambda order: command("breakers", "reset", *filter(None, (order.told("rule"), order.told("target")))),
    ),
    Action(
        "/pause",
        "Pause all fixes?",
        "No fix of this host is started, also after a restart of the daemon. What is found is still counted and told.",
        "Pause",
        _running,
        _pause,
        tone="bad",
        fields=(lasting(*PAUSE_LASTS), WHY, Field("stop", "End the steps that run now as well", Kind.FLAG)),
        typed=lambda _: command("pause", "--why", "WHY"),
    ),
    Action(
        "/resume",
        "Let fixes run again?",
        "Fixes start again, and what waited is looked at once more.",
        "Let them run",
        _held,
        _resume,
        tone="good",
        typed=lambda _: command("resume"),
    ),
)
