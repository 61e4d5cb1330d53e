"""Pulse: how much is read, how much of it is known, what was repaired, and whether the daemon itself is well."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request

from logmedic.adapters.web.html import Html, Part, element, joined
from logmedic.adapters.web.pages import asked, charts, parts
from logmedic.adapters.web.pages.charts import Chart, Line
from logmedic.adapters.web.pages.page import Answer, Page, View
from logmedic.core.phrases import several
from logmedic.core.rowwords import reports_of
from logmedic.core.sizes import bytes_text
from logmedic.core.trendwords import MEANINGS, change, is_comparable, metric_text, tone_of
from logmedic.model.live import Topic
from logmedic.model.metric import Family, Spread
from logmedic.ports import Control

Row = parts.Row
SLOTS = 60
SPANS = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
_WORDS = {"1h": "1 hour", "24h": "24 hours", "7d": "7 days", "30d": "30 days"}
USUAL = "24h"
PARTS_SHOWN = 40
_HEALTH = {
    "logmedic_engine_inputs_waiting": "inputs that wait",
    "logmedic_engine_decision_lag_seconds": "the oldest of them waits",
    "logmedic_engine_progress_age_seconds": "last sign of life",
    "logmedic_commit_seconds": "a commit takes",
    "logmedic_commit_failures_total": "commits that failed",
    "logmedic_loop_lag_seconds": "loop lag",
    "process_resident_memory_bytes": "memory",
    "process_open_fds": "open files",
    "process_cpu_seconds_total": "processor time",
}
"""Figures of the daemon itself, with short names."""


async def gather(control: Control, request: Request) -> Answer:
    span = asked.one_of(request, "span", list(SPANS)) or USUAL
    until = datetime.now(UTC)
    since = until - SPANS[span]
    activity, trends, status, storage, families = await asyncio.gather(
        control.ask("activity", since=since, until=until, slots=SLOTS),
        control.ask("trends", since=since, until=until),
        control.status(),
        control.storage(),
        control.metrics(),
    )
    return {
        "span": span,
        "activity": activity,
        "charts": charts.told(made(activity), *_begin(activity)),
        "trends": trends,
        "sources": status["sources"],
        "sources_total": status["sources_total"],
        "reports": status.get("reports"),
        "parts": status["parts"],
        "version": status["version"],
        "started_at": status["started_at"],
        "store": {**status["store"], "room": storage["room"], "rows": storage["rows"]},
        "health": _health(families),
    }


def _health(families: Sequence[Family]) -> dict[str, float]:
    """Of a histogram: the mean."""
    found: dict[str, float] = {}
    for family in families:
        for sample in family.samples[:1] if family.metric.name in _HEALTH else ():
            value = sample.value
            found[family.metric.name] = value.sum / max(value.count, 1) if isinstance(value, Spread) else value
    return found


def render(answer: Answer, view: View) -> Html:
    return joined(
        parts.heading("Pulse", _lead(answer), more=_spans(answer["span"])),
        _metrics(answer),
        _charts(answer),
        _sources(answer, view),
        parts.columns(_parts(answer), joined(_store(answer), _engine(answer, view))),
    )


def _lead(answer: Answer) -> str:
    trends = answer["trends"]
    if is_comparable(trends):
        return f"The last {_WORDS[answer['span']]}, against as long a time before."
    known = (
        f"something is known since {parts.moment(trends['known_since'])}" if trends["known_since"] else "nothing yet"
    )
    return f"The last {_WORDS[answer['span']]}; too little is known of the time before to compare: {known}."


def _spans(chosen: str) -> Html:
    return parts.spans(((f"/pulse?span={value}", value, words) for value, words in _WORDS.items()), chosen)


# -- the six metrics ---------------------------------------------------------------------------------------------------


def _metrics(answer: Answer) -> Html:
    trends = answer["trends"]
    comparable = is_comparable(trends)
    return parts.tiles(*(_metric(name, trends, comparable) for name in MEANINGS))


def _metric(name: str, trends: Row, comparable: bool) -> Html:
    now = trends["metrics"][name]
    before = trends["before"][name] if comparable else None
    return parts.tile(
        metric_text(name, now),
        MEANINGS[name],
        element("p", _trend(name, now, before), class_="trend") if comparable else None,
    )


def _trend(name: str, now: float | None, before: float | None) -> Html:
    changed = change(name, now, before)
    words = {"=": "as before", "-": "nothing to compare", "new": "none before"}.get(changed, f"{changed} than before")
    sign = "▲ " if changed.startswith("+") else "▼ " if changed.startswith("-") and changed != "-" else ""
    was = f", was {metric_text(name, before)}" if sign else ""
    return element("span", f"{sign}{words}{was}", class_=tone_of(name, now, before))


# -- charts ------------------------------------------------------------------------------------------------------------


def _charts(answer: Answer) -> Html:
    activity = answer["activity"]
    each = [charts.shown(chart, *_begin(activity)) for chart in made(activity)]
    return element(
        "section",
        element("h2", "Over time", class_="heard"),
        *each,
        class_="charts",
        data_json=f"/pulse.json?span={answer['span']}",
        aria_label="Over time",
    )


def _begin(activity: Mapping[str, Any]) -> tuple[datetime, timedelta]:
    """Of the first part; and how long each is."""
    return datetime.fromisoformat(activity["since"]), timedelta(seconds=activity["step_s"])


def made(activity: Mapping[str, Any]) -> tuple[Chart, ...]:
    series, step = activity["series"], activity["step_s"]

    def rate(name: str) -> list[float | None]:
        return [n / step for n in series[name]]

    def total(*names: str) -> str:
        return ", ".join(f"{sum(series[name]):,} {_SAID[name]}" for name in names)

    took = [ms / n / 1000 if n else None for ms, n in zip(series["recovery_ms"], series["recovered"], strict=True)]
    healed = sum(series["recovered"])
    mean = f", in {parts.span(sum(series['recovery_ms']) / healed / 1000)} on average" if healed else ""
    recovered = f"{several(healed, 'incident')} ended by a fix{mean}"
    return (
        Chart("lines", "Lines read", total("lines"), (Line("lines/s", rate("lines")),), "/s", means=True),
        Chart(
            "errors",
            "Errors seen",
            total("matched", "unknown"),
            (Line("matched/s", rate("matched")), Line("unknown/s", rate("unknown"), "bad")),
            "/s",
            means=True,
        ),
        Chart(
            "incidents",
            "Incidents",
            total("incidents_opened", "resolved"),
            (Line("opened", series["incidents_opened"], "bad"), Line("over", series["resolved"], "good")),
        ),
        Chart(
            "fixes",
            "Fixes",
            total("fixes_worked", "fixes_failed"),
            (Line("worked", series["fixes_worked"], "good"), Line("failed", series["fixes_failed"], "bad")),
        ),
        Chart("recovery", "Recovery time", recovered, (Line("mean", took, "work"),), " s", means=True),
        Chart(
            "alerts",
            "Messages to people",
            total("alerts_sent", "alerts_dead"),
            (Line("sent", series["alerts_sent"]), Line("given up", series["alerts_dead"], "bad")),
        ),
    )


_SAID = {
    "lines": "lines",
    "matched": "known to a rule",
    "unknown": "to none",
    "incidents_opened": "opened",
    "resolved": "over",
    "fixes_worked": "worked",
    "fixes_failed": "failed",
    "alerts_sent": "sent",
    "alerts_dead": "given up",
}


# -- sources -----------------------------------------------------------------------------------------------------------


def _sources(answer: Answer, view: View) -> Html:
    rows, total = answer["sources"], answer["sources_total"]
    headings = ("State", "Source", "Behind", "Read", "Lines", "Gaps", "Last line")
    body = (
        parts.table(
            "Sources", headings, (_source(each, answer["started_at"], view) for each in rows), numbers=("Lines", "Gaps")
        )
        if rows
        else parts.nothing(
            "Nothing is read.", "Name sources in the config; `logmedic sources` shows what is read of them."
        )
    )
    left = total - len(rows)
    more = element("p", f"and {several(left, 'other')} in order: logmedic sources") if left > 0 else None
    return parts.section("Sources", body, *_reports(answer["reports"]), id="sources", more=more)


def _reports(row: Row | None) -> Iterator[Html]:
    """What applications report, where they may."""
    if row is None:
        return
    yield element("p", f"Reports of applications: {reports_of(row)}.", class_="soft")
    if row["problem"]:
        yield element("p", parts.tag("bad", "not all are taken"), f" {parts.line(row['problem'], 200)}")


def _source(row: Row, started_at: str, view: View) -> Sequence[Part]:
    tone, words = source_state(row)
    lost = f", {bytes_text(row['skipped_bytes'])}" if row["skipped_bytes"] else ""
    lag = row["lag_s"]
    behind = "-" if not row["lag_bytes"] else bytes_text(row["lag_bytes"]) + (f", {parts.span(lag)}" if lag else "")
    problem = element("p", parts.line(row["problem"], 200), class_="soft") if row["problem"] else None
    return (
        joined(parts.tag(tone, words), problem),
        joined(
            element("span", parts.line(row["source"], 80), class_="main-cell"),
            element("p", parts.line(row["origin"], 200), class_="soft"),
        ),
        behind,
        bytes_text(row["bytes"]),
        joined(f"{row['lines']:,}", element("p", _mean_rate(row["lines"], started_at, view), class_="soft")),
        f"{row['gaps']:,}{lost}",
        parts.ago(row["last_line_at"], view.now),
    )


def _mean_rate(lines: int, started_at: str, view: View) -> str:
    """Since the daemon was started."""
    seconds = (view.now - datetime.fromisoformat(started_at)).total_seconds()
    return charts.number(lines / max(seconds, 1.0), "/s")


def source_state(row: Row) -> tuple[str, str]:
    if row["problem"]:
        return "bad", "not read"
    if row["quiet_since"]:
        return "wait", "quiet"
    return ("work", "catching up") if row["lag_bytes"] else ("good", "read")


# -- the daemon itself -------------------------------------------------------------------------------------------------

_PART_TONES = {"running": "good", "restarting": "wait", "failed": "bad"}


def _parts(answer: Answer) -> Html:
    rows = sorted(answer["parts"], key=lambda each: (each["state"] == "running", each["name"]))
    cells = (
        (
            parts.tag(_PART_TONES.get(each["state"], "soft"), str(each["state"])),
            parts.line(each["name"], 80),
            f"{each['restarts']:,}",
            parts.line(each["last_error"], 200) or "-",
        )
        for each in rows[:PARTS_SHOWN]
    )
    left = len(rows) - PARTS_SHOWN
    return parts.section(
        "Parts of the daemon",
        parts.table("Parts of the daemon", ("State", "Part", "Restarts", "Last error"), cells, numbers=("Restarts",))
        if rows
        else parts.nothing("No part is kept alive."),
        parts.nothing(f"And {several(left, 'other')}, running.") if left > 0 else None,
        id="parts",
    )


def _store(answer: Answer) -> Html:
    store = answer["store"]
    room = store["room"]
    share = room["total"] / room["max"] if room["max"] else None
    meter = (
        element("meter", f"{share:.0%}", min="0", max="1", high="0.9", value=f"{share:.3f}", aria_label="of its limit")
        if share is not None
        else None
    )
    problem = (
        parts.tag("bad", parts.line(store["problem"], 200)) if store["problem"] else parts.tag("good", "it stores")
    )
    notices = [element("li", parts.line(each, 300)) for each in store["notices"]]
    limit = f" of {bytes_text(room['max'])}" if room["max"] else ""
    return parts.section(
        "Store",
        element("p", problem),
        element("p", f"{bytes_text(room['total'])}{limit} ", meter),
        parts.facts(
            (name, bytes_text(room[name])) for name in ("file", "log", "archive", "snapshots", "backups") if room[name]
        ),
        parts.fold("Rows", parts.facts((name, f"{count:,}") for name, count in sorted(store["rows"].items()))),
        element("ul", *notices) if notices else None,
        id="store",
    )


def _engine(answer: Answer, view: View) -> Html:
    health = answer["health"]
    figures = ((words, _figure(name, health[name])) for name, words in _HEALTH.items() if name in health)
    return parts.section(
        "Engine",
        parts.facts(
            (
                ("version", answer["version"]),
                ("started", parts.ago(answer["started_at"], view.now)),
                *figures,
            )
        ),
        id="engine",
        more=element("p", "all figures: ", element("code", "logmedic stats --all")),
    )


def _figure(name: str, value: float) -> str:
    if name.endswith("_bytes"):
        return bytes_text(value)
    return parts.span(value) if "seconds" in name else f"{value:,.0f}"


PAGE = Page(
    path="/pulse",
    title=lambda _: "Pulse",
    gather=gather,
    render=render,
    topics=frozenset({Topic.STATUS, Topic.SOURCES, Topic.INCIDENTS, Topic.FIXES}),
    scripts=("vendor/uPlot.iife.min.js", "charts.js"),
)
