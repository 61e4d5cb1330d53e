"""The story of one incident, in the order of time: seen, fix, verify, result, alert."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from logmedic.adapters.web.html import Html, Part, element, joined
from logmedic.adapters.web.pages import parts
from logmedic.core.phrases import several

Row = parts.Row
SHOWN = 120
"""Of a timeline, the last of it: an incident may be weeks old. All of it is in the JSON."""


class Stage(StrEnum):
    SEEN = "seen"
    FIX = "fix"
    VERIFY = "verify"
    RESULT = "result"
    ALERT = "alert"


@dataclass(frozen=True, slots=True)
class Moment:
    """`times`: it was said so often, one after the other, last at `at`."""

    at: datetime
    stage: Stage
    tone: str
    text: str
    times: int = 1


_MARKS = {"good": "✓", "bad": "✗", "wait": "!", "work": "▶", "soft": "·"}
_EVENTS: Mapping[str, tuple[Stage, str]] = {
    "opened": (Stage.SEEN, "bad"),
    "history": (Stage.SEEN, "soft"),
    "request": (Stage.SEEN, "soft"),
    "cleared": (Stage.SEEN, "good"),
    "would_run": (Stage.FIX, "soft"),
    "ranked": (Stage.FIX, "soft"),
    "held": (Stage.FIX, "wait"),
    "approved": (Stage.FIX, "good"),
    "rejected": (Stage.FIX, "bad"),
    "approval_expired": (Stage.FIX, "wait"),
    "fix_started": (Stage.FIX, "work"),
    "step_finished": (Stage.FIX, "soft"),
    "step_skipped": (Stage.FIX, "soft"),
    "retry": (Stage.FIX, "wait"),
    "waits": (Stage.FIX, "wait"),
    "not_begun": (Stage.FIX, "wait"),
    "rollback_started": (Stage.FIX, "work"),
    "rolled_back": (Stage.FIX, "wait"),
    "checked": (Stage.VERIFY, "soft"),
    "probed": (Stage.VERIFY, "soft"),
    "observed": (Stage.VERIFY, "soft"),
    "settling": (Stage.VERIFY, "work"),
    "made_worse": (Stage.VERIFY, "bad"),
    "unknown_outcome": (Stage.RESULT, "wait"),
    "fix_failed": (Stage.RESULT, "bad"),
    "fix_unknown": (Stage.RESULT, "wait"),
    "breaker_open": (Stage.RESULT, "bad"),
    "breaker_trial": (Stage.RESULT, "work"),
    "breaker_closed": (Stage.RESULT, "good"),
    "breaker_reset": (Stage.RESULT, "good"),
    "resolved": (Stage.RESULT, "good"),
    "alerted": (Stage.ALERT, "work"),
    "not_told": (Stage.ALERT, "wait"),
    "silenced": (Stage.ALERT, "wait"),
    "acknowledged": (Stage.ALERT, "good"),
    "ack_over": (Stage.ALERT, "wait"),
}
"""Kinds that are not here are of the result, and soft."""


def moments(incident: Row) -> list[Moment]:
    """Of a row as Queries.incident answers it, oldest first: what was decided and done, and which messages arrived."""
    told = [_of_event(each) for each in incident["events"]]
    arrived = [_of_alert(each) for each in incident["alerts"] if each["sent_at"]]
    return _once(sorted((*told, *arrived), key=lambda each: each.at))


def _of_event(row: Row) -> Moment:
    stage, tone = _EVENTS.get(row["kind"], (Stage.RESULT, "soft"))
    return Moment(datetime.fromisoformat(row["at"]), stage, tone, row["text"])


def _of_alert(row: Row) -> Moment:
    what = row["event"].replace("_", " ")
    return Moment(datetime.fromisoformat(row["sent_at"]), Stage.ALERT, "good", f"{what}: arrived at {row['receiver']}")


def _once(told: Iterable[Moment]) -> list[Moment]:
    """What is said again and again is said once."""
    found: list[Moment] = []
    for each in told:
        last = found[-1] if found else None
        if last is not None and (last.stage, last.text) == (each.stage, each.text):
            found[-1] = Moment(each.at, each.stage, each.tone, each.text, last.times + 1)
        else:
            found.append(each)
    return found


def shown(told: Sequence[Moment]) -> Html:
    """Times are relative to the first; hovering, and hearing, gives the whole of them."""
    first = told[0].at if told else None
    rows = (_row(each, first or each.at) for each in told[-SHOWN:])
    left = len(told) - SHOWN
    earlier = (
        parts.nothing(f"{several(left, 'earlier entry', 'earlier entries')} left out; the JSON has all.")
        if left > 0
        else None
    )
    return joined(earlier, element("ol", *rows, class_="timeline"))


def _row(each: Moment, first: datetime) -> Html:
    again = element("span", f" ({each.times} times)", class_="soft") if each.times > 1 else None
    return element(
        "li",
        element("span", _MARKS[each.tone], class_=f"mark {each.tone}", aria_hidden="true"),
        element(
            "div",
            element("p", element("span", each.stage.value, class_="stage"), " ", parts.line(each.text, 600), again),
            class_="what",
        ),
        element("span", _when(each.at, first), class_="when"),
    )


def _when(at: datetime, first: datetime) -> Html:
    behind = f" +{parts.span((at - first).total_seconds())}" if at > first else ""
    return joined(parts.clock(at.isoformat()), behind)


# -- in one line -------------------------------------------------------------------------------------------------------


def way(incident: Row) -> Html:
    """Seen, fix, verify, result, alert: how far each came."""
    says = {
        Stage.SEEN: _seen(incident),
        Stage.FIX: _fix(incident),
        Stage.VERIFY: _verify(incident),
        Stage.RESULT: _result(incident),
        Stage.ALERT: _alert(incident),
    }
    listed = (element("li", parts.tag(tone, f"{stage.value}: {words}")) for stage, (tone, words) in says.items())
    return element("ol", *listed, class_="way", aria_label="How far it came")


def _seen(row: Row) -> tuple[str, str]:
    return "soft", f"{row['occurrences']:,}x" if row["occurrences"] != 1 else "once"


def _fix(row: Row) -> tuple[str, str]:
    tried = len(row["attempts"])
    if any(each["status"] == "running" for each in row["attempts"]):
        return "work", "a step runs"
    if tried:
        return "soft", several(tried, "step was run", "steps were run")
    if row["hold"] and row["status"] != "resolved":
        return "wait", "none" if row["hold"] == "no_fix" else str(row["hold"]).replace("_", " ")
    return "soft", "none was run"


def _verify(row: Row) -> tuple[str, str]:
    if row["status"] in ("verifying", "settling"):
        return "work", str(row["status"])
    verdict = next((each["verdict"] for each in reversed(row["attempts"]) if each["verdict"]), None)
    tones = {"fixed": "good", "not_fixed": "bad", "unknown": "wait"}
    return (tones[verdict], verdict.replace("_", " ")) if verdict else ("soft", "nothing to verify")


def _result(row: Row) -> tuple[str, str]:
    if row["status"] == "resolved":
        return "good", str(row["resolution"] or "over").replace("_", " ")
    return ("bad", "failed") if row["status"] == "failed" else ("wait", "still open")


def _alert(row: Row) -> tuple[str, str]:
    receivers = {each["receiver"] for each in row["alerts"] if each["sent_at"]}
    if any(each["status"] == "dead" for each in row["alerts"]):
        return "bad", "a message was given up"
    if receivers:
        return "good", f"{several(len(receivers), 'receiver')} told"
    return ("wait", "on its way") if row["alerts"] else ("soft", "nobody was told")


def evidence(row: Row) -> Iterator[Part]:
    """The lines that it began with, with what was captured."""
    yield parts.log(row["evidence"], row["captures"]) if row["evidence"] else parts.nothing("No line was kept.")
    if row["captures"]:
        yield parts.facts(
            (parts.line(name, 60), element("code", parts.line(value))) for name, value in row["captures"].items()
        )
