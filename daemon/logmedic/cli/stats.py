"""stats."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from logmedic.cli.context import Context, pass_context, shared
from logmedic.cli.output import field, print_json, print_table, several, span
from logmedic.core.sparkline import days_each, share, sparkline
from logmedic.core.trendwords import MEANINGS, RATE, RECOVERY, change, is_comparable, metric_text

_HEADINGS = ("METRIC", "VALUE", "BEFORE", "CHANGE", "BY DAY")
WIDEST = 92
"""Columns of a picture: a quarter of a year by days."""

BESIDE = 66
"""Columns of a terminal that the picture leaves to the numbers."""

_MOMENTS = ("_timestamp_seconds", "_start_time_seconds")
"""How the names of figures end that are moments."""

Day = Mapping[str, Any]


@click.command("stats")
@click.option("--since", metavar="TIME", help="A duration (24h, 30d) or a time; everything when left out.")
@click.option("--all", "everything", is_flag=True, help="All figures as well, those of /metrics (docs/metrics.md).")
@shared
@pass_context
def stats_command(context: Context, since: str | None, everything: bool) -> None:
    """Errors, fixes, escalations, recovery time. With --since: how they went by day (UTC), and the change against as
    long a time before. With --all: every figure that there is, as of now."""
    if everything and since is not None:
        raise click.BadParameter("figures are as of now: --all goes without it", param_hint="--since")
    if everything:
        _print_figures(context, context.ask("stats"), context.client.get("figures"))
    elif since is None:
        _print_all(context, context.ask("stats"))
    else:
        _print_trends(context, context.ask("trends", since=since, until=_now()))


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _print_all(context: Context, stats: Mapping[str, Any]) -> None:
    if context.output != "table":
        print_json(stats)
        return
    rows = [{"name": name, "value": shown(name, stats[name]), "meaning": text} for name, text in MEANINGS.items()]
    print_table(rows, {"METRIC": field("name"), "VALUE": field("value"), "MEANING": field("meaning")})


def _print_figures(context: Context, stats: Mapping[str, Any], figures: Sequence[Mapping[str, Any]]) -> None:
    """As JSON: the six, and `metrics`, a row a figure: name, kind, labels, value, help (and `sum`, of a histogram: its
    value says how many there were)."""
    if context.output == "json":
        print_json({**stats, "metrics": figures})
    elif context.output == "jsonl":
        for each in figures:
            print(json.dumps(each))
    else:
        _print_all(context, stats)
        print()
        print_table(figures, {"FIGURE": field("name"), "LABELS": _labels, "VALUE": _figure}, right=("VALUE",))


def _labels(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in row["labels"].items())


def _figure(row: Mapping[str, Any]) -> str:
    """Of a histogram: how many, and their mean. A moment (docs/metrics.md: in seconds since 1970) as a time in UTC."""
    value = float(row["value"])
    if value and str(row["name"]).endswith(_MOMENTS):
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S}Z"
    text = f"{value:,.0f}" if value == int(value) else f"{value:,.3f}"
    return f"{text}, mean {row['sum'] / value:.3g}" if value and "sum" in row else text


def _print_trends(context: Context, trends: Mapping[str, Any]) -> None:
    if not trends["days"]:
        raise click.BadParameter("it lies ahead", param_hint="--since")
    if context.output == "json":
        print_json({**trends["metrics"], **{name: value for name, value in trends.items() if name != "metrics"}})
    elif context.output == "jsonl":
        for day in trends["days"]:
            print(json.dumps(day))
    else:
        for line in _period(trends):
            print(line)
        print_table(list(_rows(trends)), {each: field(each) for each in _HEADINGS}, right=_HEADINGS[1:4])


def _period(trends: Mapping[str, Any]) -> Iterator[str]:
    days = trends["days"]
    each = _each(days)
    columns = f", {several(each, 'day')} a column" if each > 1 else ""
    yield f"{_minute(trends['since'])} to {_minute(trends['until'])}{columns}; before: as long a time before that"
    if not is_comparable(trends):
        known = f"known since {_minute(trends['known_since'])}" if trends["known_since"] else "nothing is known yet"
        yield f"{known}: too short to be compared"


def _minute(at: str) -> str:
    return f"{at[:16].replace('T', ' ')}Z"


def _each(days: Sequence[Day]) -> int:
    return days_each(len(days), max(7, min(WIDEST, shutil.get_terminal_size((120, 24)).columns - BESIDE)))


def _rows(trends: Mapping[str, Any]) -> Iterator[Mapping[str, str]]:
    days, each = trends["days"], _each(trends["days"])
    comparable = is_comparable(trends)
    groups = [days[at : at + each] for at in range(0, len(days), each)]
    for name in MEANINGS:
        now, before = trends["metrics"][name], trends["before"][name] if comparable else None
        yield {
            "METRIC": name,
            "VALUE": shown(name, now),
            "BEFORE": shown(name, before),
            "CHANGE": change(name, now, before),
            "BY DAY": _picture(name, groups) if len(groups) > 1 else "",
        }


def _picture(name: str, groups: Sequence[Sequence[Day]]) -> str:
    values = [_of(name, group) for group in groups]
    return share(values) if name == RATE else sparkline(values)


def _of(name: str, days: Sequence[Day]) -> float | None:
    """Of several days: means weigh as much as what they are the means of."""
    match name:
        case "auto_fix_success_rate":
            worked, failed = _sum("fixes_worked", days), _sum("fixes_failed", days)
            return worked / (worked + failed) if worked + failed else None
        case "avg_recovery_time_s":
            fixed = _sum("auto_fixed", days)
            took = sum((day[name] or 0.0) * day["auto_fixed"] for day in days)
            return took / fixed if fixed else None
    return _sum(name, days)


def _sum(name: str, days: Sequence[Day]) -> float:
    return float(sum(day[name] for day in days))


def shown(name: str, value: float | None) -> str:
    return span(value) if name == RECOVERY and value is not None else metric_text(name, value)
