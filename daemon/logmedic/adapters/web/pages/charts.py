"""Figures over time: a drawing that needs no script, its numbers as a table for who wants them, and what a script needs
to put a livelier one in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from logmedic.adapters.web.html import Html, element, joined
from logmedic.adapters.web.pages import parts

Values = Sequence[float | None]
"""A number for each part of the time; None: nothing is known of it."""
_WIDE, _HIGH = 600, 120
_ROWS = 30
"""In the table: several parts are put together."""


@dataclass(frozen=True, slots=True)
class Line:
    """`tone`: its colour, of good, bad, wait, work, soft; it is dashed when it is not the first, too."""

    name: str
    values: Values
    tone: str = "work"


@dataclass(frozen=True, slots=True)
class Chart:
    """`unit`: behind a number. `means`: several parts make their mean, else their sum. `said`: all of it
    in words."""

    id: str
    title: str
    said: str
    lines: tuple[Line, ...]
    unit: str = ""
    means: bool = False


def shown(chart: Chart, begins: datetime, step: timedelta) -> Html:
    """`begins`: of the first part; `step`: how long each is."""
    return element(
        "figure",
        element("figcaption", element("b", chart.title), element("span", chart.said, class_="soft"), _keys(chart)),
        element("div", _drawing(chart), _times(begins, step, len(chart.lines[0].values)), class_="plot"),
        element("div", class_="live-plot", id=f"plot-{chart.id}", data_keep=True, hidden=True),
        parts.fold("As a table", _table(chart, begins, step)),
        class_="chart",
        data_chart=chart.id,
    )


def told(each: Sequence[Chart], begins: datetime, step: timedelta) -> dict[str, Any]:
    """What a script draws them from. Keys: begins (seconds since 1970), step (seconds), charts (id, unit, lines)."""
    return {
        "begins": begins.timestamp(),
        "step": step.total_seconds(),
        "charts": [
            {
                "id": chart.id,
                "unit": chart.unit,
                "lines": [{"name": line.name, "tone": line.tone, "values": list(line.values)} for line in chart.lines],
            }
            for chart in each
        ],
    }


def number(value: float | None, unit: str = "") -> str:
    if value is None:
        return "-"
    text = f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
    return f"{text}{unit}"


def _keys(chart: Chart) -> Html:
    names = (
        element("li", element("span", class_=f"stroke {each.tone} n{place}", aria_hidden="true"), f" {each.name}")
        for place, each in enumerate(chart.lines)
    )
    return element("ul", *names, class_="legend")


def _drawing(chart: Chart) -> Html:
    top = max((value for line in chart.lines for value in line.values if value), default=0.0)
    grid = (
        element("line", x1="0", x2=f"{_WIDE}", y1=f"{y}", y2=f"{y}", class_="ground")
        for y in (1, _HIGH // 2, _HIGH - 1)
    )
    lines = (_path(each, place, top or 1.0) for place, each in enumerate(chart.lines))
    drawing = element(
        "svg",
        element("title", f"{chart.title}: {chart.said}"),
        *grid,
        *lines,
        viewBox=f"0 0 {_WIDE} {_HIGH}",
        preserveAspectRatio="none",
        role="img",
    )
    return joined(element("span", number(top, chart.unit), class_="top soft"), drawing)


def _path(line: Line, place: int, top: float) -> Html | None:
    """Broken where nothing is known."""
    pieces: list[str] = []
    step = _WIDE / max(len(line.values) - 1, 1)
    pen = "M"
    for at, value in enumerate(line.values):
        if value is None:
            pen = "M"
            continue
        y = _HIGH - 2 - (_HIGH - 4) * value / top
        pieces.append(f"{pen}{at * step:.1f},{y:.1f}")
        if pen == "M":
            pieces.append("l0.1,0")  # a single one is seen as well
        pen = "L"
    return element("path", d=" ".join(pieces), class_=f"stroke {line.tone} n{place}") if pieces else None


def _times(begins: datetime, step: timedelta, count: int) -> Html:
    ends = begins + step * count
    middle = begins + (ends - begins) / 2
    long = ends - begins > timedelta(hours=36)
    written = (element("span", f"{at:%m-%d}" if long else f"{at:%H:%M}") for at in (begins, middle, ends))
    return element("p", *written, class_="times soft", aria_hidden="true")


def _table(chart: Chart, begins: datetime, step: timedelta) -> Html:
    count = len(chart.lines[0].values)
    each = max(1, -(-count // _ROWS))
    rows = (
        (
            f"{begins + step * at:%Y-%m-%d %H:%M}",
            *(number(_together(line.values[at : at + each], means=chart.means), chart.unit) for line in chart.lines),
        )
        for at in reversed(range(0, count, each))
    )
    names = [line.name for line in chart.lines]
    return parts.table(chart.title, ("From (UTC)", *names), rows, numbers=names)


def _together(values: Values, *, means: bool) -> float | None:
    known = [each for each in values if each is not None]
    if not known:
        return None
    return sum(known) / len(known) if means else sum(known)
