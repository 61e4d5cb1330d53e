"""What the live view shows, and what its keys mean: no terminal is needed for that."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.cli.cells import width_of
from logmedic.cli.styled import Piece, Text
from logmedic.cli.top.frame import frame, within
from logmedic.cli.top.keys import Keys
from logmedic.cli.top.snapshot import Answers, Snapshot, snapshot
from logmedic.cli.top.view import Act, Mode, Order, View, press

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
NASTY = "the \x1b[2J日本語 shop is down \u202e" * 20


def incident(number: int, severity: str = "high", **changes: Any) -> dict[str, Any]:
    row = {
        "id": f"0193-{number:08d}",
        "severity": severity,
        "status": "open",
        "resolution": "",
        "hold": None,
        "title": f"shop {number} is down",
        "opened_at": (NOW - timedelta(minutes=number)).isoformat(),
    }
    return {**row, **changes}


def source(name: str = "shop", **changes: Any) -> dict[str, Any]:
    row = {"source": name, "origin": f"/var/log/{name}.log", "lines": 100, "bytes": 1000, "lag_bytes": 0, "problem": ""}
    return {**row, "lag_s": None, "quiet_since": None, **changes}


def status(*incidents: dict[str, Any], **changes: Any) -> dict[str, Any]:
    row = {
        "host": "db1",
        "mode": "auto",
        "started_at": "2026-11-24T02:00:00Z",
        "arming": {"armed": True, "sandbox": "bubblewrap", "reason": ""},
        "pauses": [],
        "open_incidents": list(incidents),
        "sources_total": 1,
        "alerts": {"pending": 2, "deferred": 1},
    }
    return {**row, **changes}


ATTEMPT = {"id": "a1", "incident_id": "0193-00000001", "status": "running", "step_name": "restart", "target": "web"}
ATTEMPT |= {"started_at": (NOW - timedelta(seconds=75)).isoformat()}
ALERT = {"id": "0193-m0000001", "receiver": "chat", "status": "pending", "tries": 0, "title": "shop is down"}
PAUSE = {"origin": "operator", "by": "ann", "why": "release", "until": None}
BUSY = snapshot(
    Answers(
        NOW,
        status(*(incident(number) for number in range(1, 9)), incident(9, "critical", title=NASTY)),
        [source(lines=140, bytes=3048), source("slow", lag_bytes=2048, problem=NASTY)],
        [ATTEMPT, {**ATTEMPT, "status": "finished"}],
        [ALERT] * 4,
    ),
    Answers(NOW - timedelta(seconds=2), status(), [source(), source("slow")]),
)
QUIET = snapshot(Answers(NOW, status()))


def shown(picture: Snapshot, width: int = 80, height: int = 24, view: View = View()) -> list[str]:  # noqa: B008
    return ["".join(each.text for each in row) for row in frame(picture, width, height, view)]


VIEWS = st.sampled_from(
    [
        View(),
        View(said=NASTY),
        View(selected="0193-00000008"),
        View(Mode.HELP),
        View(Mode.WHY, asks="silence 3f for 1h: why?", typed=NASTY),
        View(Mode.SURE, asks=NASTY),
        View(Mode.STORY, story=[Text((Piece(NASTY, "bad"), Piece("x" * 300)), 12)] * 9, scroll=3),
    ]
)
PICTURES = st.sampled_from(
    [BUSY, QUIET, replace(BUSY, problem=NASTY), replace(BUSY, status=status(pauses=[PAUSE])), replace(QUIET, live=True)]
)


@given(PICTURES, st.integers(20, 250), st.integers(1, 80), VIEWS)
def test_a_picture_fills_the_terminal_and_never_more(picture: Snapshot, width: int, height: int, view: View) -> None:
    rows = shown(picture, width, height, view)
    assert len(rows) == height
    assert max(map(width_of, rows)) <= width
    assert all(each.isprintable() for row in rows for each in row)


def test_the_picture_says_what_is_broken_what_is_done_and_what_waits() -> None:
    told = "\n".join(shown(BUSY, 100, 40))
    for words in (
        "logmedic db1  mode auto, fixes armed (bubblewrap)",
        "9 open incidents, 1 step running, 3 alerts waiting, 1 log, 20 lines/s",
        "00000001  high",
        "00000001  running   1 m 15 s  restart  on web",
        "chat: to be sent: shop is down",
        "20 lines/s    1.0 KiB/s",
        "2.0 KiB behind",
    ):
        assert words in told


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("height", [15, 24, 60])
def test_every_part_is_seen_whatever_the_size(width: int, height: int) -> None:
    told = shown(BUSY, width, height)
    for heading in ("incidents", "fixes under way", "alerts waiting", "sources"):
        assert any(line.startswith(heading) for line in told), "\n".join(told)
    assert sum(line.startswith("> ") for line in told) == 1
    assert any(line.startswith(">") and "critical" in line for line in told), "the most severe one is chosen first"


def test_what_is_chosen_stays_chosen_and_in_sight() -> None:
    many = snapshot(Answers(NOW, status(*(incident(number) for number in range(1, 60)))))
    view = View(selected="0193-00000003")
    assert any(line.startswith("> 00000003") for line in shown(many, 80, 15, view))
    fewer = snapshot(Answers(NOW, status(*(incident(number) for number in (1, 2)))))
    assert any(line.startswith("> 00000002") for line in shown(fewer, 80, 15, view)), "it is over: the first one"


def test_a_pause_stands_above_everything_with_who_and_why() -> None:
    told = shown(snapshot(Answers(NOW, status(pauses=[PAUSE]))))
    assert "fixes PAUSED" in told[0]
    assert told[2].startswith("PAUSED by ann: release")


def test_what_is_old_says_so_in_words() -> None:
    told = shown(replace(QUIET, problem="no daemon answers"))
    assert told[0].endswith("STALE since 03:00:00Z")
    assert told[2] == "! no daemon answers"


def test_rates_are_of_one_daemon_only() -> None:
    before = Answers(NOW - timedelta(seconds=2), status(started_at="2026-11-24T02:59:59Z"), [source()])
    (only,) = snapshot(Answers(NOW, status(), [source(lines=5)]), before).sources
    assert only.lines_s is None


WAITING = snapshot(Answers(NOW, status(incident(1, hold="awaiting_approval"), incident(2))))
FIRST, SECOND = WAITING.incidents[1]["id"], WAITING.incidents[0]["id"]
SURE = View(Mode.SURE, order=Order(Act.PAUSE), asks="hold every fix")


@pytest.mark.parametrize(
    ("before", "keys", "mode", "order"),
    [
        (View(selected=FIRST), ["a"], Mode.LIST, Order(Act.ACK, FIRST)),
        (View(), ["a"], Mode.LIST, Order(Act.ACK, SECOND)),
        (View(selected=FIRST), ["enter"], Mode.LIST, Order(Act.SHOW, FIRST)),
        (View(selected=FIRST), ["y"], Mode.SURE, None),
        (View(selected=FIRST), ["y", "y"], Mode.LIST, Order(Act.APPROVE, FIRST)),
        (View(selected=FIRST), ["y", "n"], Mode.LIST, None),
        (View(selected=FIRST), ["n", "y"], Mode.LIST, Order(Act.REJECT, FIRST)),
        (View(selected=SECOND), ["y"], Mode.LIST, None),
        (View(selected=FIRST), [*"sa b", "backspace", "backspace", "enter"], Mode.SURE, None),
        (View(selected=FIRST), [*"sa b", "enter", "y"], Mode.LIST, Order(Act.SILENCE, FIRST, "a b")),
        (View(selected=FIRST), [*"s  ", "enter"], Mode.WHY, None),
        (View(selected=FIRST), [*"sno", "esc"], Mode.LIST, None),
        (View(), ["p", "y"], Mode.LIST, Order(Act.PAUSE, why="from logmedic top")),
        (View(), ["p", "enter"], Mode.LIST, None),
        (View(), ["?"], Mode.HELP, None),
        (View(), ["?", "q"], Mode.LIST, None),
        (View(), ["q"], Mode.LIST, Order(Act.QUIT)),
        (View(Mode.STORY), ["q"], Mode.LIST, None),
        (View(), ["x", "left", "esc"], Mode.LIST, None),
        (SURE, ["Y"], Mode.LIST, Order(Act.PAUSE)),
    ],
)
def test_what_keys_mean(before: View, keys: list[str], mode: Mode, order: Order | None) -> None:
    view, given_order = before, None
    for key in keys:
        view, given_order = press(view, key, WAITING)
    assert (view.mode, given_order) == (mode, order)


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [(["j"], FIRST), (["down", "down", "j"], FIRST), (["j", "k"], SECOND), (["end"], FIRST), (["end", "home"], SECOND)],
)
def test_moving_stops_at_the_ends(keys: list[str], chosen: str) -> None:
    view = View()
    for key in keys:
        view, _ = press(view, key, WAITING)
    assert view.selected == chosen


def test_paused_p_lets_fixes_run_again() -> None:
    paused = snapshot(Answers(NOW, status(pauses=[PAUSE])))
    view, _ = press(View(), "p", paused)
    assert press(view, "y", paused)[1] == Order(Act.RESUME)


@pytest.mark.parametrize("key", ["a", "y", "n", "s", "enter"])
def test_without_an_incident_nothing_is_asked_for(key: str) -> None:
    view, order = press(View(), key, QUIET)
    assert (view.mode, order, view.said) == (Mode.LIST, None, "no incident is open")


def test_a_story_is_scrolled_to_its_end_and_no_further() -> None:
    story = [Text((Piece(f"line {number}"),)) for number in range(100)]
    view, _ = press(View(Mode.STORY, story=story), "end", QUIET)
    view = within(view, 80, 20)
    assert "line 99" in "\n".join(shown(QUIET, 80, 20, view))
    assert "line 89" not in "\n".join(shown(QUIET, 80, 20, within(press(view, "home", QUIET)[0], 80, 20)))


TYPED = [
    (b"j", ["j"]),
    ("ä日".encode(), ["ä", "日"]),
    (b"\x1b[A\x1b[B\x1bOA", ["up", "down", "up"]),
    (b"\x1b[5~\x1b[6~", ["pgup", "pgdn"]),
    (b"\r\x7f\x08", ["enter", "backspace", "backspace"]),
    (b"\x1b[200~x", ["x"]),
    (b"\x1b[1;5Cq", ["q"]),
    (b"\x00\x07j", ["j"]),
]


@pytest.mark.parametrize(("received", "keys"), TYPED)
def test_keys_are_read_wherever_their_bytes_are_cut(received: bytes, keys: list[str]) -> None:
    for at in range(len(received) + 1):
        reader = Keys()
        assert [*reader.feed(received[:at]), *reader.feed(received[at:])] == keys


def test_esc_alone_is_a_key_once_nothing_follows() -> None:
    reader = Keys()
    assert reader.feed(b"\x1b") == []
    assert reader.is_waiting
    assert reader.settle() == ["esc"]
    assert not reader.is_waiting
    assert reader.feed(b"\x1b\x1b[A") == ["esc", "up"]


@given(st.binary(max_size=40))
def test_no_bytes_break_the_reading_of_keys(received: bytes) -> None:
    reader = Keys()
    keys = [*reader.feed(received), *reader.settle()]
    assert all(key == "esc" or key.isprintable() for key in keys)
