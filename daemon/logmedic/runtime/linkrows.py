"""What the page behind a link says, as a row: texts for people, cleaned, times on the reader's clock too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from logmedic.core.evidence import clean
from logmedic.core.links import Claims, ask_of
from logmedic.core.moments import moment_text, span_text, with_zone
from logmedic.core.secrets import masked
from logmedic.core.shellwords import command, short
from logmedic.core.targets import would_run
from logmedic.core.verdicts import is_in_force
from logmedic.model.issue import UNDER_WAY, HoldReason, Incident, IncidentStatus
from logmedic.model.rule import Rule

Row = dict[str, Any]

EVIDENCE_SHOWN = 4000
LINES_SHOWN = 200
"""Of a timeline, the last of it: an incident may be weeks old."""
_ANSWERS = frozenset({"approved", "rejected", "approval_expired"})
_UNDER_WAY = frozenset(each.value for each in UNDER_WAY)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why it is not done, and what to do instead."""

    text: str
    hint: str


def page_row(
    claims: Claims, row: Row, rule: Rule | None, *, host: str, zone: tzinfo | None, now: datetime, command_words: str
) -> Row:
    """Of the incident's `row` (Queries.incident). `command_words`: what does the same in a shell. As ports.LinkDesk
    says, without `allowed` and `refused`."""
    say = _speaker(zone)
    state, tone = _state(row)
    return {
        "purpose": claims.purpose.value,
        "host": host,
        "id": short(row["id"]),
        "title": say(row["title"], 300),
        "severity": row["severity"],
        "state": say(state, 600),
        "tone": tone,
        "moving": row["status"] in _UNDER_WAY,
        "facts": [{"name": name, "text": say(text, 1000)} for name, text in _facts(row, now)],
        "would": [say(each, 600) for each in would_run(rule, row["captures"])] if rule is not None else [],
        "evidence": clean(masked(row["evidence"]), EVIDENCE_SHOWN),
        "timeline": [
            {"at": say(_moment(each["at"]), 80), "text": say(each["text"], 600)}
            for each in row["events"][-LINES_SHOWN:]
        ],
        "earlier": max(0, len(row["events"]) - LINES_SHOWN),
        "runbook": rule.runbook if rule is not None and rule.runbook.startswith(("https://", "http://")) else "",
        "command": command_words,
        "expires": f"in {span_text(claims.expires_at - now)}, at {moment_text(claims.expires_at, zone)}",
        "outcome": None,
    }


def said(refusal: Refusal, zone: tzinfo | None) -> Row:
    say = _speaker(zone)
    return {"text": say(refusal.text, 600), "hint": say(refusal.hint, 300)}


def unanswerable(claims: Claims, row: Row, incident: Incident | None, rule: Rule | None) -> Refusal | None:
    """Why the request that the link is for cannot be answered any more."""
    show = command("show", short(row["id"]))
    if incident is None or incident.status is IncidentStatus.RESOLVED:
        said = "; ".join(each for each in (f"it is over ({row['resolution_notes']})", _answered(row)) if each)
        return Refusal(said, "nothing is needed")
    if rule is None:
        return Refusal(f"rule {incident.rule_id} is not in force any more", f"on the host: {show}")
    if (asked := ask_of(incident)) and asked == claims.ask:
        if is_in_force(incident.fix, rule):
            return None
        return Refusal("the fix was changed after this was asked", "it is asked anew: open the link of that message")
    if asked:
        again = command("approve", short(incident.id))
        return Refusal(
            "this link is of an older request: it was asked anew since, about what may be another fix",
            f"open the link of the newest message, or look at {show} and type: {again}",
        )
    said = _answered(row) or "nobody waits for it any more"
    if incident.hold is HoldReason.REJECTED:
        return Refusal(said, "the next match asks again, with a new link")
    return Refusal(said, _instead(incident, show))


def over(row: Row) -> Refusal | None:
    if row["status"] != IncidentStatus.RESOLVED.value:
        return None
    return Refusal(f"it is over ({row['resolution_notes']})", "nothing is needed")


def acknowledged(row: Row, now: datetime) -> Refusal | None:
    """Somebody takes care of it already."""
    notice = row.get("notice") or {}
    until = datetime.fromisoformat(notice["acked_until"]) if notice.get("acked_until") else None
    if not notice.get("acked_by") or (until is not None and until <= now):
        return None
    ends = f", until {moment_text(until)}" if until is not None else ", until it is over"
    return Refusal(
        f"already acknowledged by {notice['acked_by']}, {_moment(notice['acked_at'])}{ends}",
        "nobody is reminded of it meanwhile; nothing is needed",
    )


def answer_to(row: Row, kind: str) -> Row | None:
    """The last event of `kind`."""
    return next((each for each in reversed(row["events"]) if each["kind"] == kind), None)


def _answered(row: Row) -> str:
    """The last answer that it got; empty for none."""
    found = next((each for each in reversed(row["events"]) if each["kind"] in _ANSWERS), None)
    if found is None:
        return ""
    already = "" if found["kind"] == "approval_expired" else "already "
    return f"{already}{found['text']}, {_moment(found['at'])}"


def _instead(incident: Incident, show: str) -> str:
    if incident.status in UNDER_WAY:
        return "its fix is under way; this page shows how it goes"
    if incident.status is IncidentStatus.FAILED:
        return f"its fix did not hold: repair it by hand; the story so far: {show}"
    return f"what holds its fix now: {incident.hold_detail or 'nothing'}; on the host: {show}"


def _state(row: Row) -> tuple[str, str]:
    """A sentence, and how it is meant: good, bad, wait or work."""
    match row["status"]:
        case "resolved":
            return f"It is over: {row['resolution_notes'] or row['resolution']}", "good"
        case "failed":
            return "Its fix did not hold: people are needed", "bad"
        case "checking" | "fixing" | "retrying" | "verifying" | "settling" as status:
            return _WORK[status], "work"
    if row["hold"] == HoldReason.AWAITING_APPROVAL.value:
        return "Its fix waits for your decision", "wait"
    if row["hold"] in (None, HoldReason.NO_FIX.value):
        return "It is open, and nothing is done about it: people are needed", "bad"
    held = HoldReason(row["hold"]).words
    return f"Its fix is held ({held}): {row['hold_detail']}", "wait"


_WORK = {
    "checking": "It is checked whether the fix is needed",
    "fixing": "Its fix runs now",
    "retrying": "Its fix failed, and is tried again soon",
    "verifying": "Its fix has run, and is being checked",
    "settling": "Its fix worked so far; it has to stay quiet for a while",
}


def _facts(row: Row, now: datetime) -> list[tuple[str, str]]:
    opened = datetime.fromisoformat(row["opened_at"])
    times = "once" if row["occurrences"] <= 1 else f"{row['occurrences']} times"
    last = f", last {_moment(row['last_match_at'])}" if row["occurrences"] > 1 else ""
    facts = [
        ("How often", f"{times} since {moment_text(opened)}, {span_text(now - opened)} ago{last}"),
        ("What was tried", "; ".join(_tried(each) for each in row["attempts"]) or "nothing yet"),
        ("Rule", row["rule_id"] + (f", in {row['source']}" if row["source"] else "")),
    ]
    if row["approved_by"]:
        facts.append(("Approved by", row["approved_by"]))
    notice = row.get("notice") or {}
    if notice.get("acked_by"):
        facts.append(("Who takes care", f"{notice['acked_by']}, since {_moment(notice['acked_at'])}"))
    if notice.get("suppressed"):
        facts.append(("Not told", notice["suppressed"]))
    return facts


def _tried(attempt: Row) -> str:
    if attempt["status"] == "running":
        ended = "runs now"
    else:
        ended = f"exit {attempt['exit_code']}" if attempt["exit_code"] is not None else attempt["detail"] or "not known"
    verdict = f", {str(attempt['verdict']).replace('_', ' ')}" if attempt["verdict"] else ""
    return f"{attempt['step_name']} ({' '.join(attempt['argv'])}): {ended}{verdict}"


def _moment(told: str) -> str:
    return moment_text(datetime.fromisoformat(told))


def _speaker(zone: tzinfo | None) -> Callable[[str, int], str]:
    def say(text: str, limit: int) -> str:
        return with_zone(clean(masked(text), limit, keep=" "), zone)

    return say
