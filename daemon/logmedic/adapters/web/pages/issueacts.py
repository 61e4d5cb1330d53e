"""What can be done about a known issue: mute, resolve, merge."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from logmedic.adapters.web.pages import parts
from logmedic.adapters.web.pages.action import FOR, Action, Field, Order, Outcome, Subject, lasting
from logmedic.adapters.web.parameters import BadRequest
from logmedic.core.shellwords import command, short

FOR_EVER, NEXT_VERSION = "ever", "next_version"
MUTE_LASTS = (
    ("24h", "1 day"),
    ("7d", "7 days"),
    ("30d", "30 days"),
    (NEXT_VERSION, "until a newer version of what logs it is seen"),
    (FOR_EVER, "until somebody takes it back"),
)


async def _issue(order: Order) -> Subject:
    row = await order.control.ask("issue", issue_id=order.path["id"])
    return _subject(row, order, "it is part of another one by now" if row["status"] == "merged" else "")


async def _muted(order: Order) -> Subject:
    row = await order.control.ask("issue", issue_id=order.path["id"])
    return _subject(row, order, "" if row["status"] == "muted" else "it is not muted")


def _subject(row: dict[str, Any], order: Order, refused: str) -> Subject:
    facts = (
        ("issue", parts.short_id(row)),
        ("state", str(row["status"])),
        ("seen", "once" if row["occurrences"] == 1 else f"{row['occurrences']:,} times"),
        ("last seen", parts.ago(row["last_seen"], order.now)),
    )
    filled = {"into": "", "for": "7d"}
    return Subject(row["title"], f"/learned/{quote(str(row['id']), safe='')}", facts, filled=filled, refused=refused)


async def _mute(order: Order) -> Outcome:
    count, newer = _whole(order.told("count") or "0"), order.told(FOR) == NEXT_VERSION
    row = await order.control.mute_issue(
        order.path["id"], order.by, until=order.ends(), count=count, next_version=newer
    )
    ends = f" until {parts.moment(row['muted_until'])}" if row["muted_until"] else ""
    return Outcome(f"nobody is called for it{ends}", "it is counted as before")


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise BadRequest(f"`{text[:40]}` is no number", "a whole number of occurrences, or nothing")
    return int(text)


async def _unmute(order: Order) -> Outcome:
    await order.control.unmute_issue(order.path["id"], order.by)
    return Outcome("people are called for it again")


async def _resolve(order: Order) -> Outcome:
    notes, version = order.told("because"), order.told("in_version")
    await order.control.resolve_issue(order.path["id"], order.by, notes=notes, version=version)
    return Outcome("it is resolved", "when it comes back, people are told that it did")


async def _merge(order: Order) -> Outcome:
    row = await order.control.merge_issue(order.path["id"], order.told("into"), order.by)
    return Outcome(
        f"it is part of {parts.line(row['title'], 120)} ({short(row['id'])}) now", "what comes of it counts there"
    )


ACTIONS = (
    Action(
        "/issues/{id}/mute",
        "Call nobody for it?",
        "It is counted as before, and nobody is called. Whichever comes first ends that.",
        "Mute",
        _issue,
        _mute,
        fields=(lasting(*MUTE_LASTS), Field("count", "Or for so many more occurrences", longest=9)),
        typed=lambda order: command("learned", "mute", short(order.path["id"]), "--for", "7d"),
    ),
    Action(
        "/issues/{id}/unmute",
        "Call people for it again?",
        "It is as it was before it was muted.",
        "Unmute",
        _muted,
        _unmute,
        typed=lambda order: command("learned", "unmute", short(order.path["id"])),
    ),
    Action(
        "/issues/{id}/resolve",
        "Is it resolved?",
        "It is over; when it comes back, people are told that it did, and what you write here.",
        "It is resolved",
        _issue,
        _resolve,
        tone="good",
        fields=(
            Field("because", "What was done", help="Told when it comes back."),
            Field(
                "in_version",
                "In version",
                longest=80,
                help="Older ones may still say it. Leave it empty if there is none.",
            ),
        ),
        typed=lambda order: command("learned", "resolve", short(order.path["id"]), "--because", "TEXT"),
    ),
    Action(
        "/issues/{id}/merge",
        "Is it the same as another one?",
        "It becomes a part of that one: what was counted, and what comes, counts there. Nothing takes that back.",
        "Merge",
        _issue,
        _merge,
        fields=(Field("into", "The end of the id of the other one", required=True, longest=80),),
        typed=lambda order: command("learned", "merge", short(order.path["id"]), "INTO"),
    ),
)
