"""Fixes over time, a lane a target: a drawing that needs no script, and whose every mark is a link with words.

Places are in percent of the width, so that nothing of it is stretched on any screen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

from logmedic.adapters.web.html import Html, element, joined
from logmedic.adapters.web.pages import parts
from logmedic.core.phrases import several

Row = parts.Row
MOST_LANES = 30
ROWS_DEEP = 4
"""Marks that would lie on one another stand below one another; what has no room any more is in the table."""
ROOM = 3.2
"""Percent of the width that a mark takes, on a narrow screen as well."""
_HIGH, _TICKS = 26, 4
_SIGNS = {"fixed": "✓", "not_fixed": "✗", "unknown": "?", "running": "▶", "would": "≈"}
WORDS = {
    "fixed": "fixed",
    "not_fixed": "not fixed",
    "unknown": "unknown",
    "running": "under way",
    "would": "would have run",
}


def outcome(row: Row) -> str:
    """Of WORDS."""
    if row["kind"] == "would":
        return "would"
    return str(row["verdict"] or "running")


def drawn(rows: Sequence[Row], since: datetime, until: datetime) -> Html:
    by_target: dict[str, list[Row]] = {}
    for each in rows:  # newest first: the targets where something happened last come first
        by_target.setdefault(str(each["target"]), []).append(each)
    shown = list(by_target.items())[:MOST_LANES]
    left = len(by_target) - len(shown)
    return element(
        "div",
        _axis(since, until),
        *(_lane(name, mine, since, until) for name, mine in shown),
        element("p", f"and {several(left, 'target')} more, in the table", class_="soft") if left else None,
        _legend(),
        class_="lanes",
    )


def _lane(target: str, rows: Sequence[Row], since: datetime, until: datetime) -> Html:
    placed, left = _placed(rows, since, until)
    high = _HIGH * (1 + max((deep for _, deep, _, _ in placed), default=0))
    said = f"{parts.line(target, 80)}: {counted(rows)}"
    more = element("span", f"+{left}", class_="soft") if left else None
    drawing = element(
        "svg",
        element("line", x1="0", x2="100%", y1=f"{high - 0.5}", y2=f"{high - 0.5}", class_="ground"),
        *(_mark(*each) for each in placed),
        width="100%",
        height=f"{high}",
        role="group",
        aria_label=said,
    )
    return element(
        "div", element("p", element("b", parts.line(target, 60)), " ", more, title=said), drawing, class_="lane"
    )


def counted(rows: Iterable[Row]) -> str:
    """In words, by outcome."""
    numbers: dict[str, int] = {}
    for each in rows:
        numbers[outcome(each)] = numbers.get(outcome(each), 0) + 1
    return ", ".join(f"{numbers[name]} {words}" for name, words in WORDS.items() if name in numbers)


Placed = tuple[Row, int, float, float]
"""A row, how deep it stands, and where it begins and ends, in percent."""


def _placed(rows: Sequence[Row], since: datetime, until: datetime) -> tuple[list[Placed], int]:
    """From the oldest on; and how many found no room."""
    ends = [-ROOM] * ROWS_DEEP
    placed: list[Placed] = []
    for row in reversed(rows):
        begin = place(row["started_at"], since, until)
        end = place(row["finished_at"] or (row["started_at"] if row["kind"] == "would" else None), since, until)
        deep = next((n for n, taken in enumerate(ends) if taken <= begin), None)
        if deep is not None:
            ends[deep] = max(begin + ROOM, end)
            placed.append((row, deep, begin, end))
    return placed, len(rows) - len(placed)


def place(at: str | None, since: datetime, until: datetime) -> float:
    """In percent of the time, with a margin for the mark; None: now, its end."""
    share = 1.0 if at is None else (datetime.fromisoformat(at) - since) / (until - since)
    return round(1.5 + 97 * min(max(share, 0.0), 1.0), 2)


def _mark(row: Row, deep: int, begin: float, end: float) -> Html:
    told = outcome(row)
    top = deep * _HIGH + 2
    middle = f"{top + 11}"
    bar = element(
        "rect", x=f"{begin}%", y=f"{top + 8}", width=f"{max(end - begin, 0.1):.2f}%", height="6", class_="bar"
    )
    shape = (
        element("circle", cx=f"{begin}%", cy=middle, r="10")
        if told != "would"
        else joined(
            element("circle", cx=f"{begin}%", cy=middle, r="10"),
            element("circle", cx=f"{begin}%", cy=middle, r="10", fill="url(#hatch)", class_="hatched"),
        )
    )
    sign = element("text", _SIGNS[told], x=f"{begin}%", y=middle, text_anchor="middle", dominant_baseline="central")
    return element(
        "a",
        element("title", words_of(row)),
        bar if told != "would" else None,
        shape,
        sign,
        href=f"/incidents/{quote(str(row['incident_id']), safe='')}",
        class_=f"fix {told}",
    )


def words_of(row: Row) -> str:
    """Of one mark, for who points at it, and for who hears it."""
    took = parts.seconds(row["started_at"], row["finished_at"])
    lasted = f" after {parts.span(took)}" if took is not None and row["kind"] == "ran" else ""
    hold = f" (held: {str(row['hold']).replace('_', ' ')})" if row["kind"] == "would" and row["hold"] else ""
    what = f"{parts.line(row['step_name'], 120)}, {WORDS[outcome(row)]}{lasted}{hold}"
    return f"{parts.line(row['title'], 120)}: {what}, {parts.moment(row['started_at'])}"


def _hatching() -> Html:
    """Once in a page: all lanes refer to it."""
    lines = element("path", d="M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2", class_="hatch")
    return element("defs", element("pattern", lines, id="hatch", width="6", height="6", patternUnits="userSpaceOnUse"))


def _axis(since: datetime, until: datetime) -> Html:
    return element(
        "div",
        element("p"),
        element(
            "svg",
            _hatching(),
            *(_tick(n, since, until) for n in range(_TICKS + 1)),
            width="100%",
            height="22",
            role="img",
            aria_label=f"from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC",
        ),
        class_="lane axis",
    )


def _tick(number: int, since: datetime, until: datetime) -> Html:
    at = since + (until - since) * number / _TICKS
    written = f"{at:%H:%M}" if until - since <= timedelta(hours=36) else f"{at:%m-%d}"
    anchor = {0: "start", _TICKS: "end"}.get(number, "middle")
    x = f"{1.5 + 97 * number / _TICKS:.2f}%"
    return joined(
        element("text", written, x=x, y="13", text_anchor=anchor),
        element("line", x1=x, x2=x, y1="17", y2="22", class_="ground"),
    )


def _legend() -> Html:
    return element("ul", *_keys(WORDS), class_="legend")


def _keys(words: Mapping[str, str]) -> Iterator[Html]:
    for name, text in words.items():
        yield element("li", element("span", _SIGNS[name], class_=f"key {name}", aria_hidden="true"), f" {text}")
