"""Rules: those in force, what each brought in the last month, what it costs, and what is wrong with their files."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request

from logmedic.adapters.web.html import Html, Part, element, joined
from logmedic.adapters.web.pages import asked, explaining, parts
from logmedic.adapters.web.pages.page import Answer, Page, View
from logmedic.adapters.web.parameters import BadRequest
from logmedic.core.phrases import several
from logmedic.model.live import Topic
from logmedic.ports import Control

Row = parts.Row
PER_PAGE = 100
PROBLEMS_SHOWN = 30
COUNTED = timedelta(days=30)
NOISY = 0.5
"""So much of what it opens is over by itself."""
_SHOWN = (
    ("", "all"),
    ("fired", "fired in 30 days"),
    ("silent", "never fired"),
    ("noisy", "noisy"),
    ("fix", "with a fix"),
    ("quarantined", "quarantined"),
    ("gone", "not in force"),
)
_NO_STATS = {
    "incidents": 0,
    "occurrences": 0,
    "fixed": 0,
    "not_fixed": 0,
    "verified": None,
    "by_itself": 0,
    "noise": None,
    "needed_people": 0,
    "last_opened_at": None,
    "mean_recovery_s": None,
}


async def gather(control: Control, request: Request) -> Answer:
    show, text = asked.one_of(request, "show", [value for value, _ in _SHOWN]), asked.text(request, "text").lower()
    service, begin = asked.text(request, "service"), _begin(request)
    in_force, stats, costs, trusts, status, explained = await asyncio.gather(
        control.rules_in_force(),
        control.ask("rule_stats", since=datetime.now(UTC) - COUNTED),
        control.rule_costs(),
        control.trust(),
        control.status(),
        explaining.answered(control, request),
    )
    rows = [
        each
        for each in _rows(in_force, stats, costs, trusts)
        if _fits(each, show)
        and service in ("", each["service"])
        and any(text in str(each[name]).lower() for name in ("id", "title", "service"))
    ]
    return {
        "rules": rows[begin : begin + PER_PAGE],
        "total": len(rows),
        "from": begin,
        "loaded": status["rules"],
        "explained": explained,
    }


def _begin(request: Request) -> int:
    told = request.query_params.get("from", "") or "0"
    if not (told.isascii() and told.isdigit() and len(told) < 7):
        raise BadRequest(f"`from` is `{told[:40]}`", "from=100")
    return int(told)


def _rows(
    in_force: Iterable[Row], stats: Iterable[Row], costs: Iterable[Row], trusts: Iterable[Row]
) -> list[dict[str, Any]]:
    """All that is known of each: what fired most first, then by service. Rules that fired and are not in force, too."""
    by_stats = {each["rule_id"]: each for each in stats}
    by_cost = {each["rule"]: each for each in costs}
    by_trust = {each["rule_id"]: each for each in trusts}
    rows = [_row(each, by_stats.pop(each["id"], _NO_STATS), by_cost, by_trust) for each in in_force]
    rows += [_row({**_GONE, "id": name}, each, by_cost, by_trust) for name, each in by_stats.items()]
    return sorted(rows, key=lambda each: (-each["stats"]["incidents"], each["service"], each["id"]))


_GONE = {
    "title": "",
    "service": "",
    "severity": "",
    "enabled": False,
    "sources": [],
    "tags": [],
    "fix": None,
    "mode": None,
    "whose": "",
    "matched": 0,
    "last_match_at": None,
    "tests": 0,
    "file": "",
    "line": 0,
    "quarantined": "",
}


def _row(rule: Row, stats: Row, costs: Mapping[str, Row], trusts: Mapping[str, Row]) -> dict[str, Any]:
    cost, trust = costs.get(rule["id"], {}), trusts.get(rule["id"], {})
    return {
        **rule,
        "in_force": bool(rule["file"] or rule["title"]),
        "stats": {name: stats[name] for name in _NO_STATS},
        "asked": cost.get("asked", 0),
        "spent_s": cost.get("spent_s", 0.0),
        "proposed": trust.get("proposed"),
    }


def _fits(row: Row, show: str) -> bool:
    match show:
        case "fired":
            return bool(row["stats"]["incidents"])
        case "silent":
            return row["in_force"] and not row["stats"]["incidents"] and not row["matched"]
        case "noisy":
            return is_noisy(row["stats"])
        case "fix":
            return row["fix"] is not None
        case "quarantined":
            return bool(row["quarantined"])
        case "gone":
            return not row["in_force"]
    return True


def is_noisy(stats: Row) -> bool:
    """One that nobody needed to hear of: over by itself, and people were hardly ever called."""
    return bool(stats["noise"] is not None and stats["noise"] >= NOISY and stats["needed_people"] < stats["by_itself"])


def render(answer: Answer, view: View) -> Html:
    reload = parts.button("Load the rules again", "/reload") if view.caller.may_act else None
    return joined(
        parts.heading("Rules", _lead(answer, view), more=reload),
        _problems(answer["loaded"]),
        _filters(view.query),
        element("section", _table(answer, view), class_="card", aria_label="Rules"),
        explaining.box(
            answer["explained"],
            "/rules",
            view,
            lead="Every rule in force is asked, as if the line came now. Nothing is counted, and nothing runs.",
        ),
    )


def _lead(answer: Answer, view: View) -> Html:
    loaded = answer["loaded"]
    return joined(f"{several(loaded['loaded'], 'rule')} in force, loaded ", parts.ago(loaded["loaded_at"], view.now))


def _problems(loaded: Row) -> Html | None:
    stale, problems, quarantined = loaded["stale_files"], loaded["problems"], loaded["quarantined"]
    if not (stale or problems or quarantined):
        return None
    told: list[Part] = []
    if problems:
        told.append(element("p", parts.tag("bad", several(len(problems), "mistake")), " in the rule files:"))
        told.append(_listed(problems))
    if stale:
        told.append(element("p", parts.tag("wait", "stale"), " of these the last good version is in force:"))
        told.append(_listed(stale))
    if quarantined:
        told.append(element("p", parts.tag("bad", "quarantined"), " not heard, for they took too long:"))
        told.append(
            element(
                "ul",
                *(
                    element("li", parts.rule_link(each["rule"]), f": {parts.line(each['reason'], 200)}")
                    for each in quarantined[:PROBLEMS_SHOWN]
                ),
            )
        )
    return parts.section("What is wrong", *told, parts.shell("logmedic rules check"), id="problems")


def _listed(texts: Sequence[str]) -> Html:
    left = len(texts) - PROBLEMS_SHOWN
    return element(
        "ul",
        *(element("li", element("code", parts.line(each, 300))) for each in texts[:PROBLEMS_SHOWN]),
        element("li", f"and {left} more") if left > 0 else None,
    )


def _filters(query: Mapping[str, str]) -> Html:
    clear = element("a", "Clear", href="/rules") if set(query) - {"from", "line", "source"} else None
    return parts.filters(
        "/rules",
        parts.words("text", "Name or title", query.get("text", "")),
        parts.choices("show", "Which", _SHOWN, query.get("show", "")),
        parts.words("service", "Service", query.get("service", "")),
        joined(clear),
    )


_HEADINGS = ("Rule", "Fired, 30 d", "Verified", "Noise", "Fix", "Last opened", "Cost")


def _table(answer: Answer, view: View) -> Html:
    rows = answer["rules"]
    if not rows:
        if set(view.query) - {"line", "source", "from"}:
            return parts.nothing("No rule fits.", element("a", "Show all", href="/rules"))
        return parts.nothing(
            "No rule is in force.",
            joined("Write one: ", element("code", "logmedic rules new --from 'LINE'"), ", then load the rules again."),
        )
    numbers = ("Fired, 30 d", "Verified", "Noise", "Cost")
    return joined(
        parts.table("Rules", _HEADINGS, (_cells(each, view) for each in rows), numbers=numbers),
        _following(answer, view),
    )


def _following(answer: Answer, view: View) -> Html | None:
    behind = answer["from"] + len(answer["rules"])
    if behind >= answer["total"]:
        return None
    query = {name: value for name, value in view.query.items() if name not in ("from", "line", "source")}
    href = f"/rules?{urlencode({**query, 'from': behind})}"
    return element(
        "p", element("a", f"The next ones, of {answer['total']:,}", href=href, rel="next"), class_="following"
    )


def _cells(row: Row, view: View) -> Sequence[Part]:
    stats = row["stats"]
    marks = joined(*(joined(" ", each) for each in _marks(row)))
    return (
        joined(
            element("span", parts.rule_link(row["id"]), marks, class_="main-cell"),
            element("p", _about(row), class_="soft"),
        ),
        f"{stats['incidents']:,}" if stats["incidents"] else "-",
        verified(stats),
        noise(stats),
        mode(row),
        parts.ago(stats["last_opened_at"], view.now, "-"),
        cost(row),
    )


def _about(row: Row) -> Html:
    told = " · ".join(parts.line(each, 120) for each in (row["severity"], row["service"], row["title"]) if each)
    return joined(told or "not in force any more")


def _marks(row: Row) -> Iterable[Html]:
    if row["quarantined"]:
        yield parts.tag("bad", "quarantined")
    if not row["in_force"]:
        yield parts.tag("soft", "not in force")
    elif not row["enabled"]:
        yield parts.tag("soft", "switched off")
    if row["proposed"]:
        yield parts.tag("work", f"{row['proposed']} proposed")


def verified(stats: Row) -> str:
    """The share of its fixes that worked, and of how many."""
    tried = stats["fixed"] + stats["not_fixed"]
    return f"{parts.percent(stats['verified'])} of {tried}" if tried else "-"


def noise(stats: Row) -> Html | str:
    if stats["noise"] is None:
        return "-"
    text = parts.percent(stats["noise"])
    return parts.tag("wait", f"{text}, noisy") if is_noisy(stats) else text


def mode(row: Row) -> Html | str:
    if row["mode"] is None:
        return "-"
    tone = {"auto": "good", "approve": "wait"}.get(row["mode"], "soft")
    return parts.tag(tone, str(row["mode"]))


def cost(row: Row) -> str:
    """Of one record, and how many it was asked of."""
    if not row["asked"]:
        return "-"
    return f"{row['spent_s'] / row['asked'] * 1e6:,.1f} µs x {row['asked']:,}"


PAGE = Page(
    path="/rules",
    title=lambda _: "Rules",
    gather=gather,
    render=render,
    topics=frozenset({Topic.RULES, Topic.INCIDENTS}),
)
