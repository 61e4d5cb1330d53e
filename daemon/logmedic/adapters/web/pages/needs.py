"""Needs you: what waits for a person, and what to do about each. When nothing does: what goes well without one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from starlette.requests import Request

from logmedic.adapters.web.html import Html, element, joined
from logmedic.adapters.web.pages import needcards, parts
from logmedic.adapters.web.pages.page import Answer, Page, View
from logmedic.core.phrases import several
from logmedic.model.live import Topic
from logmedic.ports import Control

Row = parts.Row
FIXED_SHOWN = 6
LATELY = timedelta(hours=24)


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
    cards = [needcards.card(each, number, view) for number, each in enumerate(needs, start=1)]
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
    listed = (
        parts.item(
            "good",
            parts.incident_link({"id": each["incident_id"], "title": each["title"]}),
            f"by {parts.line(each['step_name'], 80)} in {parts.span(each['duration_s'])}",
            parts.ago(each["finished_at"] or each["started_at"], view.now),
        )
        for each in answer["fixed"]
    )
    shown = parts.items(listed, "No fix had to run in the last 24 hours.")
    return parts.section("Fixed lately", shown, id="fixed", more=element("a", "All fixes", href="/fixes"))


PAGE = Page(
    path="/",
    title=title,
    gather=gather,
    render=render,
    topics=frozenset(Topic),
)
