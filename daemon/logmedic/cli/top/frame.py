"""One picture of the live view: exactly so many rows, none wider than the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from logmedic.cli.cells import cut, placed, width_of
from logmedic.cli.output import several, short, span, visible
from logmedic.cli.pausing import pause_line
from logmedic.cli.sources import behind
from logmedic.cli.sources import state_of as problem_of
from logmedic.cli.styled import Piece, seen, wrapped
from logmedic.cli.top.snapshot import Row, Snapshot, Source
from logmedic.cli.top.view import Mode, View, selected
from logmedic.core.rowwords import state_of
from logmedic.core.sizes import bytes_text as size

Line = tuple[Piece, ...]
KEYS = "j/k choose  enter show  a ack  y approve  n reject  s silence  p pause  ? help  q quit"
_SHORT_KEYS = "enter show  a ack  y/n decide  s silence  ? help  q quit"
HELP = (
    ("j, k, arrows", "choose an incident"),
    ("enter", "its whole story; q goes back"),
    ("a", "you take care of it: nobody is reminded"),
    ("y, n", "approve or reject its fix that waits for you"),
    ("s", "tell nobody of it for an hour; asks why"),
    ("p", "hold every fix of this host, or let them run again"),
    ("q", "leave"),
)
_TONES = {"critical": "bad", "high": "bad", "medium": "wait", "low": ""}
_LONGEST_NAME = 24


def frame(snapshot: Snapshot, width: int, height: int, view: View) -> list[Line]:
    """`height` rows of at most `width` columns, control characters as escapes."""
    head = list(_head(snapshot, width))
    foot = _foot(view, width)
    room = max(height - len(head) - 1, 0)
    match view.mode:
        case Mode.STORY:
            body = _story(view, width, room)
        case Mode.HELP:
            body = _help(width)
        case _:
            body = _lists(snapshot, view, width, room)
    body = (body + [()] * room)[:room]
    return [_cut(line, width) for line in [*head, *body, foot][:height]]


def _cut(line: Line, width: int) -> Line:
    """At most so wide, over all of its pieces."""
    left, kept = width, list[Piece]()
    for each in line:
        told = cut(visible(each.text), left)
        kept.append(Piece(told, each.style))
        left -= width_of(told)
        if told != visible(each.text):
            break
    return tuple(kept)


# -- above and below ---------------------------------------------------------------------------------------------------


def _head(snapshot: Snapshot, width: int) -> Iterator[Line]:
    status = snapshot.status
    state = Piece(f"{snapshot.at:%H:%M:%S}Z {'live' if snapshot.live else 'each second'}", "faint")
    if snapshot.problem:
        state = Piece(f"STALE since {snapshot.at:%H:%M:%S}Z", "bad")
    told = (Piece(f"logmedic {status['host']}", "head"), Piece(f"  mode {status['mode']}, "), _armed(status))
    left = _cut(told, width - len(state.text) - 2)
    gap = width - sum(width_of(each.text) for each in left) - len(state.text)
    yield (*left, Piece(" " * gap), state)
    yield _cut((Piece(_counts(snapshot)),), width)
    for pause in status.get("pauses", ())[:1]:
        yield _cut((Piece(pause_line(pause), "bad"),), width)
    if snapshot.problem:
        yield _cut((Piece(f"! {snapshot.problem}", "bad"),), width)


def _armed(status: Row) -> Piece:
    arming = status["arming"]
    if status.get("pauses"):
        return Piece("fixes PAUSED", "bad")
    if arming["armed"]:
        return Piece(f"fixes armed ({arming['sandbox']})", "good")
    return Piece(f"fixes DISARMED: {arming['reason']}", "wait")


def _counts(snapshot: Snapshot) -> str:
    waiting = snapshot.status["alerts"]["pending"] + snapshot.status["alerts"]["deferred"]
    told = [
        several(len(snapshot.incidents), "open incident"),
        f"{several(len(snapshot.fixes), 'step')} running",
        f"{several(waiting, 'alert')} waiting",
        several(snapshot.status["sources_total"], "log"),
    ]
    return ", ".join(told + ([f"{_rate(snapshot.lines_s)} lines/s"] if snapshot.lines_s is not None else []))


def _foot(view: View, width: int) -> Line:
    match view.mode:
        case Mode.WHY:
            shown = f"{visible(view.asks)} {visible(view.typed)}"
            while width_of(shown) > width - 1:
                shown = shown[1:]
            return (Piece(shown, "head"), Piece(" ", "turned"))
        case Mode.SURE:
            asks = cut(visible(view.asks), max(width - 26, 10))
            return _cut((Piece(f"{asks}? ", "head"), Piece("y: yes, another key: no")), width)
        case Mode.STORY:
            return _cut((Piece("j/k scroll  q back", "faint"),), width)
        case Mode.HELP:
            return _cut((Piece("any key: back", "faint"),), width)
    if view.said:
        return _cut((Piece(view.said, "head"),), width)
    return _cut((Piece(KEYS if width >= len(KEYS) else _SHORT_KEYS, "faint"),), width)


def _help(width: int) -> list[Line]:
    return [(), *(_cut((Piece(f"  {keys:<14}", "head"), Piece(told)), width) for keys, told in HELP)]


def _story(view: View, width: int, room: int) -> list[Line]:
    return [_cut(row, width) for row in _rows(view, width)[view.scroll : view.scroll + room]]


def _rows(view: View, width: int) -> list[Line]:
    return [row for line in view.story for row in wrapped(seen(line), width)]


def within(view: View, width: int, height: int) -> View:
    """The same, scrolled no further than its story goes."""
    if view.mode is not Mode.STORY:
        return view
    return replace(view, scroll=min(view.scroll, max(len(_rows(view, width)) - height // 2, 0)))


# -- the lists ---------------------------------------------------------------------------------------------------------


def _lists(snapshot: Snapshot, view: View, width: int, room: int) -> list[Line]:
    place = selected(snapshot, view)
    parts = [
        _Part("incidents", _incidents(snapshot, width), place, "no open incident"),
        _Part("fixes under way", _fixes(snapshot, width)),
        _Part("alerts waiting", _alerts(snapshot, width)),
        _Part("sources", _sources(snapshot, width)),
    ]
    shown = [each for each in parts if each.rows or each.nothing]
    rooms = _shared_out([max(len(each.rows), 1) for each in shown], room - 2 * len(shown))
    return [line for part, rows in zip(shown, rooms, strict=True) for line in part.lines(rows, width)]


class _Part:
    """A heading and rows. `place`: of the row that has to be seen, -1: none."""

    def __init__(self, heading: str, rows: list[Line], place: int = -1, nothing: str = "") -> None:
        self.heading, self.rows, self.place, self.nothing = heading, rows, place, nothing

    def lines(self, room: int, width: int) -> Iterator[Line]:
        if room < 1:
            return
        more = f" ({room} of {len(self.rows)})" if room < len(self.rows) else ""
        yield ()
        yield _cut((Piece(f"{self.heading}{more}", "head"),), width)
        if not self.rows:
            yield (Piece(f"  {self.nothing}", "good"),)
        first = min(max(self.place - room // 2, 0), max(len(self.rows) - room, 0))
        for number, row in enumerate(self.rows[first : first + room], start=first):
            yield _turned(row, width) if number == self.place else row


def _turned(row: Line, width: int) -> Line:
    """Chosen: the mark says it too."""
    told = "".join(each.text for each in row)
    return (Piece(placed(f">{told[1:]}", width), "turned"),)


def _shared_out(wanted: Sequence[int], room: int) -> list[int]:
    """Rows for each part: one each as long as there is room, then the first ones get what they want."""
    given = [0] * len(wanted)
    for number in range(len(wanted)):
        if sum(given) < room:
            given[number] = 1
    for number, most in enumerate(wanted):
        free = room - sum(given)
        later = sum(min(each - 1, 2) for each in wanted[number + 1 :] if each > 1)
        given[number] += min(max(most - given[number], 0), max(free - later, 0)) if given[number] else 0
    for number, most in enumerate(wanted):
        given[number] += min(most - given[number], max(room - sum(given), 0)) if given[number] else 0
    return given


def _incidents(snapshot: Snapshot, width: int) -> list[Line]:
    rows = []
    for row in snapshot.incidents:
        state = state_of(row)
        age = span((snapshot.at - datetime.fromisoformat(row["opened_at"])).total_seconds())
        told = (
            Piece(f"  {short(row)}  "),
            Piece(f"{row['severity']:<8}", _TONES[row["severity"]]),
            Piece(f"  {placed(state, _LONGEST_NAME if width >= 80 else 16)}"),
            Piece(f"  {placed(age, 8, right=True)}  ", "faint"),
            Piece(row["title"]),
        )
        rows.append(_cut(told, width))
    return rows


def _fixes(snapshot: Snapshot, width: int) -> list[Line]:
    rows = []
    for row in snapshot.fixes:
        since = span((snapshot.at - datetime.fromisoformat(row["started_at"])).total_seconds())
        doing = "verifying" if row["status"] == "verifying" else "running"
        told = f"  {str(row['incident_id'])[-8:]}  {doing:<9} {placed(since, 8, right=True)}  {row['step_name']}"
        rows.append(_cut((Piece(told), Piece(f"  on {row['target']}", "faint")), width))
    return rows


def _alerts(snapshot: Snapshot, width: int) -> list[Line]:
    from logmedic.cli.alertwords import message_state

    return [
        _cut((Piece(f"  {short(row)}  {row['receiver']}: {message_state(row)}: {row['title']}"),), width)
        for row in snapshot.alerts
    ]


_COLUMNS: Mapping[str, Callable[[Source], str]] = {
    "lines/s": lambda each: _rate(each.lines_s),
    "bytes/s": lambda each: "-" if each.bytes_s is None else size(each.bytes_s),
    "behind": lambda each: behind(each.row),
}


def _sources(snapshot: Snapshot, width: int) -> list[Line]:
    names = [_name(each.row) for each in snapshot.sources]
    widest = min(max(map(width_of, names), default=0), max(width - 50, _LONGEST_NAME))
    rows = []
    for each, name in zip(snapshot.sources, names, strict=True):
        told = Piece(f"  {placed(name, widest)}  {_rates(each)}")
        rows.append(_cut((told, Piece(f"  {problem_of(each.row)}", "bad")), width))
    return rows


def _name(row: Mapping[str, Any]) -> str:
    origin = str(row["origin"])
    return visible(str(row["source"]) + (f" {origin}" if origin and origin != row["source"] else ""))


def _rates(each: Source) -> str:
    lines, taken, late = (tell(each) for tell in _COLUMNS.values())
    return f"{lines:>9} lines/s {taken:>10}/s" + ("" if late == "-" else f"  {late} behind")


def _rate(per_s: float | None) -> str:
    return "-" if per_s is None else f"{per_s:,.0f}" if per_s >= 10 or per_s == 0 else f"{per_s:.1f}"
