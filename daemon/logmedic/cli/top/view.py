"""What the person at the terminal looks at, and what a key makes of that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from logmedic.cli.output import short
from logmedic.cli.styled import Text
from logmedic.cli.top.snapshot import Row, Snapshot

SILENCED_FOR = "1h"
_MOVES = {"down": 1, "j": 1, "up": -1, "k": -1, "pgdn": 10, " ": 10, "pgup": -10, "home": -(1 << 30), "end": 1 << 30}
_OF_INCIDENT = frozenset({"enter", "right", "a", "y", "n", "s"})
_WHY_LONGEST = 200


class Act(Enum):
    """What the daemon is asked to do, or the terminal."""

    ACK = auto()
    APPROVE = auto()
    REJECT = auto()
    SILENCE = auto()
    PAUSE = auto()
    RESUME = auto()
    SHOW = auto()
    QUIT = auto()


@dataclass(frozen=True, slots=True)
class Order:
    """`incident`: an id; empty where it is about none. `why`: of a silence or a pause."""

    act: Act
    incident: str = ""
    why: str = ""


class Mode(Enum):
    LIST = auto()
    STORY = auto()
    HELP = auto()
    WHY = auto()
    """A reason is typed."""
    SURE = auto()
    """`order` is carried out when it is confirmed."""


@dataclass(frozen=True, slots=True)
class View:
    """`selected`: the id of an incident, empty: the first one. `scroll`: rows of `story` above the screen. `typed`: the
    reason so far. `said`: the last outcome."""

    mode: Mode = Mode.LIST
    selected: str = ""
    scroll: int = 0
    story: Sequence[Text] = ()
    order: Order | None = None
    asks: str = ""
    typed: str = ""
    said: str = ""


def selected(snapshot: Snapshot, view: View) -> int:
    """The place of the selected incident; of one that is over by now: of the first. -1: there is none."""
    ids = [row["id"] for row in snapshot.incidents]
    return ids.index(view.selected) if view.selected in ids else 0 if ids else -1


def press(view: View, key: str, snapshot: Snapshot) -> tuple[View, Order | None]:
    """`key`: as cli/top/keys.py names them. What it changes, and what is to be done."""
    match view.mode:
        case Mode.WHY:
            return _typing(view, key)
        case Mode.SURE:
            sure = key in ("y", "Y") and view.order is not None
            return _listing(view), view.order if sure else None
        case Mode.HELP:
            return _listing(view), None
        case Mode.STORY:
            return _reading(view, key)
    return _choosing(replace(view, said=""), key, snapshot)


def _listing(view: View) -> View:
    return replace(view, mode=Mode.LIST, order=None, asks="", typed="", story=(), scroll=0)


def _typing(view: View, key: str) -> tuple[View, Order | None]:
    if key == "esc":
        return _listing(view), None
    if key == "backspace":
        return replace(view, typed=view.typed[:-1]), None
    if key == "enter":
        why = view.typed.strip()
        if not why or view.order is None:
            return view, None
        sure = f"{view.asks.partition(':')[0]}, because: {why}"
        return replace(view, mode=Mode.SURE, order=replace(view.order, why=why), asks=sure), None
    typed = view.typed + key if len(key) == 1 and key.isprintable() else view.typed
    return replace(view, typed=typed[:_WHY_LONGEST]), None


def _reading(view: View, key: str) -> tuple[View, Order | None]:
    if key in _MOVES:
        return replace(view, scroll=max(view.scroll + _MOVES[key], 0)), None
    return (_listing(view), None) if key in ("q", "esc", "enter", "left") else (view, None)


def _choosing(view: View, key: str, snapshot: Snapshot) -> tuple[View, Order | None]:
    if key == "q":
        return view, Order(Act.QUIT)
    if key == "?":
        return replace(view, mode=Mode.HELP), None
    if key == "p":
        return _pause(view, snapshot), None
    place = selected(snapshot, view)
    if place < 0:
        return (replace(view, said="no incident is open"), None) if key in _OF_INCIDENT else (view, None)
    if key in _MOVES:
        last = len(snapshot.incidents) - 1
        return replace(view, selected=snapshot.incidents[min(max(place + _MOVES[key], 0), last)]["id"]), None
    return _about(view, key, snapshot.incidents[place])


def _about(view: View, key: str, row: Row) -> tuple[View, Order | None]:
    incident, name = row["id"], f"{short(row)} {row['title']}"
    match key:
        case "enter" | "right":
            return view, Order(Act.SHOW, incident)
        case "a":
            return view, Order(Act.ACK, incident)
        case "y" | "n" if row["hold"] != "awaiting_approval":
            return replace(view, said=f"no fix of {short(row)} waits for approval: logmedic why {short(row)}"), None
        case "y":
            return _sure(view, Order(Act.APPROVE, incident), f"run the fix of {name}"), None
        case "n":
            return _sure(view, Order(Act.REJECT, incident), f"do not run the fix of {name}"), None
        case "s":
            asks = f"silence {short(row)} for {SILENCED_FOR}: why?"
            return replace(view, mode=Mode.WHY, order=Order(Act.SILENCE, incident), asks=asks, typed=""), None
    return view, None


def _pause(view: View, snapshot: Snapshot) -> View:
    if snapshot.is_paused:
        return _sure(view, Order(Act.RESUME), "let fixes run again")
    return _sure(view, Order(Act.PAUSE, why="from logmedic top"), "hold every fix of this host")


def _sure(view: View, order: Order, asks: str) -> View:
    return replace(view, mode=Mode.SURE, order=order, asks=asks)
