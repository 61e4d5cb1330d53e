"""The story of an incident: one timeline, in the order of time, that says by marks and words what colour says too."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.cli.cells import cut, placed, width_of
from logmedic.cli.story.entry import STAGES
from logmedic.cli.story.page import Story, page
from logmedic.cli.story.timeline import timeline
from logmedic.cli.styled import Piece, Text, marked_up, painted, wrapped
from logmedic.model.report import REQUESTS_KEPT

START = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def event(seconds: float, kind: str, told: str = "") -> dict[str, Any]:
    return {"at": at(seconds), "kind": kind, "text": told or f"{kind} it was"}


def attempt(began: float, ended: float | None, verdict: str | None, **changes: Any) -> dict[str, Any]:
    row = {
        "id": f"a{began}",
        "step_name": "restart app",
        "try_no": 1,
        "kind": "step",
        "first": False,
        "status": "finished" if ended is not None else "running",
        "verdict": verdict,
        "argv": ["systemctl", "restart", "app.service"],
        "started_at": at(began),
        "finished_at": at(ended) if ended is not None else None,
        "duration_s": ended - began if ended is not None else None,
        "exit_code": 0 if ended is not None else None,
        "sandbox": "bubblewrap",
        "output": "".join(f"line {number}\n" for number in range(30)),
        "detail": "",
    }
    return {**row, **changes}


def alert(made: float, arrived: float | None, receiver: str = "chat", **changes: Any) -> dict[str, Any]:
    row = {
        "id": f"m{made}{receiver}",
        "receiver": receiver,
        "event": "opened",
        "status": "sent" if arrived is not None else "dead",
        "tries": 1,
        "created_at": at(made),
        "sent_at": at(arrived) if arrived is not None else None,
        "next_at": at(made),
        "last_error": "",
        "fallback_of": "",
    }
    return {**row, **changes}


def story(**changes: Any) -> dict[str, Any]:
    row = {
        "id": "0193-5566-3f9a01c2",
        "issue_id": "s1",
        "rule_id": "nginx-upstream-down",
        "title": "nginx cannot reach upstream 10.0.0.12:8080",
        "severity": "critical",
        "status": "resolved",
        "resolution": "fixed",
        "resolution_notes": "restart app: answered 200",
        "hold": None,
        "hold_detail": "",
        "occurrences": 7,
        "source": "nginx-error",
        "opened_at": at(0),
        "resolved_at": at(12.3),
        "approved_by": "",
        "chain": [],
        "captures": {"client": "203.0.113.7", "upstream": "10.0.0.12:8080"},
        "evidence": 'connect() failed, client: 203.0.113.7, upstream: "http://10.0.0.12:8080/", try 203.0.113.70',
        "events": [
            event(0, "opened", "nginx cannot reach upstream (5 matches)"),
            event(0, "held", "the fix is held (awaiting approval): until 4:00"),
            event(2.3, "approved", "approved by ann"),
            event(2.3, "fix_started"),
            event(4, "step_finished"),
            event(4.5, "probed", "GET /healthz: answered 200"),
            event(4.5, "settling", "the rule has to stay silent for 5 s"),
            event(12.3, "resolved", "restart app: answered 200"),
            event(12.3, "alerted", "recovered told to chat"),
        ],
        "attempts": [attempt(2.3, 4, "fixed", detail="GET /healthz: answered 200, and silent since")],
        "alerts": [alert(12.3, 13.3)],
        "notice": None,
    }
    return {**row, **changes}


def told(row: dict[str, Any], **more: Any) -> list[str]:
    return ["".join(each.text for each in line.pieces) for line in page(Story(row, **more))]


def marks(row: dict[str, Any]) -> list[str]:
    return [f"{each.stage.mark} {each.stage.name}" for each in timeline(row)]


def test_requests_of_applications_that_failed_of_it_are_told() -> None:
    requests = [f"req-{number}" for number in range(3)]
    row = story(requests=requests, events=[event(0, "opened"), event(0.2, "request", "request req-0 of checkout")])
    assert marks(row)[:2] == ["▸ seen", "· request"]
    assert "failed requests of applications: req-2, and 2 more" in told(row)
    assert "failed requests of applications: req-2" in told(story(requests=["req-2"]))
    many = story(requests=[f"req-{number}" for number in range(REQUESTS_KEPT)])
    assert f"failed requests of applications: req-19, and at least {REQUESTS_KEPT - 1} more" in told(many)
    assert not any("requests" in line for line in told(story(requests=[])))


def test_of_long_evidence_both_ends_are_shown() -> None:
    lines = [
        line for line in told(story(evidence="\n".join(f"line {n}" for n in range(40)), captures={})) if "│" in line
    ]
    shown = [line.partition("│ ")[2] for line in lines]
    assert shown[8:11] == ["line 8", "(25 more lines; -o json has all that is kept)", "line 34"]
    assert (shown[0], shown[-1], len(shown)) == ("line 0", "line 39", 16)
    short = story(evidence="\n".join(f"line {n}" for n in range(15)), captures={})
    assert not any("more lines" in line for line in told(short))


def test_it_reads_from_seen_to_the_end_in_the_order_of_time() -> None:
    assert marks(story()) == [
        *("▸ seen", "! held", "✓ decided", "✓ fix", "✓ verify", "· verify", "✓ over", "✓ told"),
    ]
    lines = told(story())
    assert lines[:4] == [
        "nginx cannot reach upstream 10.0.0.12:8080",
        "critical, fixed, seen 7x",
        lines[2],
        "over after 12 s: restart app: answered 200",
    ]
    assert lines[2].startswith("incident 3f9a01c2, rule nginx-upstream-down, source nginx-error, opened 2026-11-24 03:")
    (fix,) = (line for line in lines if "fix  " in line)
    assert fix.strip().startswith("03:00:02Z  +2.3 s  ✓ fix       1. restart app: fixed (exit 0, 1.7 s, bubblewrap)")
    (end,) = (line for line in lines if "✓ told" in line)
    assert end.endswith("chat: opened, sent 1.0 s later")


def test_nothing_is_said_twice() -> None:
    lines = told(story())
    assert sum("answered 200" in line for line in lines) == 3, "the end above, the probe, and the end"
    assert not any("step_finished" in line or "told to chat" in line for line in lines)


def test_of_a_long_output_the_end_is_shown() -> None:
    lines = [line.strip() for line in told(story())]
    assert "| (10 lines before; -o json has all that is kept)" in lines
    assert "| line 29" in lines
    assert "| line 9" not in lines


def test_the_evidence_stands_where_it_was_seen_with_its_captures_apart() -> None:
    lines = list(page(Story(story())))
    texts = ["".join(each.text for each in line.pieces) for line in lines]
    (place,) = (number for number, line in enumerate(texts) if "│ connect() failed" in line)
    assert "▸ seen" in texts[place - 1]
    assert texts[place + 1].strip() == "captures: client = 203.0.113.7, upstream = 10.0.0.12:8080"
    captured = [each.text for each in lines[place].pieces if each.style == "capture"]
    assert captured == ["203.0.113.7", "10.0.0.12:8080"], "and not a part of 203.0.113.70"


def test_a_failure_and_what_came_of_it() -> None:
    row = story(
        status="failed",
        resolution="",
        resolved_at=None,
        events=[
            event(0, "opened"),
            event(1, "fix_started"),
            event(2, "probed", "503"),
            event(2, "fix_failed"),
            event(2, "breaker_open"),
            event(3, "alerted", "fix failed told to chat"),
        ],
        attempts=[attempt(1, 2, "not_fixed")],
        alerts=[alert(3, None, last_error="no route to host"), alert(4, 5, "mail", fallback_of="m3chat")],
        notice={
            "over": False,
            "told": {"mail": 1},
            "suppressed": "silenced by ann until 05:00 UTC: known",
            "acked_by": "bob",
            "acked_at": at(60),
            "acked_until": None,
        },
    )
    assert marks(row) == ["▸ seen", "✗ fix", "✗ verify", "✗ result", "✗ breaker", "✗ told", "✓ told"]
    lines = told(row)
    for words in (
        "chat: opened, given up: no route to host",
        "mail instead of chat: opened, sent 1.0 s later",
        "nobody is told now: silenced by ann until 05:00 UTC: known",
        "acknowledged by bob 2026-11-24 03:01:00Z",
    ):
        assert any(words in line for line in lines), words
    assert lines[-1] == "next: logmedic why 3f9a01c2 has all that is asked before its fix runs"


def test_what_came_before_and_what_may_be_behind_it_end_the_story() -> None:
    similar = [
        {"id": "0193-aaaa-12345678", "opened_at": at(-86400), "status": "resolved", "resolution": "fixed", "hold": None}
        | {"took_s": 8.5, "fixed_by": {"step_name": "restart app", "argv": [], "rule_id": "r", "duration_s": 1.0}},
        {"id": "0193-aaaa-87654321", "opened_at": at(-99999), "status": "resolved", "resolution": "quiet", "hold": None}
        | {"took_s": 600.0, "fixed_by": None},
    ]
    precursors = [
        {"before": "s0", "after": "s1", "sentence": "disk full tends to come 3 min before it"},
        {"before": "s1", "after": "s2", "sentence": "what follows"},
    ]
    lines = told(story(chain=["disk-full"]), similar=similar, precursors=precursors)
    assert "  it came about right after fixes of disk-full" in lines
    assert "  disk full tends to come 3 min before it" in lines
    assert not any("what follows" in line for line in lines)
    first, second = (line for line in lines if line.startswith("  ✓ "))
    assert first.startswith("  ✓ 12345678  2026-11-23 03:00:00Z (")
    assert first.endswith("): fixed after 8.5 s; restart app fixed it")
    assert second.endswith("): quiet after 10 m")


def test_what_holds_its_fix_now_and_what_to_type() -> None:
    checks = [
        {"name": "mode", "ok": True, "detail": "auto", "until": None},
        {"name": "pause", "ok": False, "detail": "paused by ann", "until": None},
        {"name": "budget", "ok": True, "detail": "3 of 20", "until": None},
    ]
    row = story(status="open", hold="awaiting_approval", hold_detail="until 4:00", resolution="", resolved_at=None)
    lines = told(row, checks=checks)
    assert "  ✗ pause  paused by ann" in lines
    assert not any("budget" in line for line in lines)
    assert lines[-1] == "next: logmedic approve 3f9a01c2, or logmedic reject 3f9a01c2"


def test_days_are_told_apart_and_what_retention_took_is_still_a_story() -> None:
    row = story(events=[event(90_000, "resolved")], attempts=[attempt(86_000, 86_001, "fixed")], alerts=[])
    assert marks(row) == ["▸ seen", "✓ fix", "✓ over"]
    lines = [line.strip() for line in told(row)]
    assert lines.index("2026-11-24") < lines.index("2026-11-25")


KINDS = st.sampled_from([*STAGES, "something_new"])
EVENTS = st.lists(st.tuples(st.integers(0, 50), KINDS), max_size=20)
RUNS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.sampled_from(["fixed", "not_fixed", None])))


@given(EVENTS, RUNS, st.lists(st.integers(0, 50), max_size=5))
def test_everything_stands_in_it_once_and_in_order(
    events: list[tuple[int, str]], runs: list[tuple[int, int, str | None]], messages: list[int]
) -> None:
    rows = sorted((event(seconds, kind) for seconds, kind in events), key=lambda each: each["at"])
    tried = [attempt(began, began + took, verdict) for began, took, verdict in sorted(runs, key=lambda run: run[0])]
    sent = [alert(seconds, seconds + 1) | {"id": f"m{number}"} for number, seconds in enumerate(messages)]
    entries = timeline(story(events=rows, attempts=tried, alerts=sent))
    assert [each.at for each in entries] == sorted(each.at for each in entries)
    texts = [each.told for each in entries]
    assert sum("restart app" in each for each in texts) == len(tried)
    assert sum(each.startswith("chat: opened, sent") for each in texts) == len(sent)
    kept = [kind for _, kind in events if kind not in ("fix_started", "rollback_started", "step_finished")]
    assert len(texts) >= len(tried) + len(sent) + len(kept)


def test_stages_are_short_and_marks_are_one_column() -> None:
    assert all(width_of(each.mark) == 1 and len(each.name) <= 8 for each in STAGES.values())


# -- fitting a terminal ------------------------------------------------------------------------------------------------

WORDS = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("C", "Z")) | st.just(" "), max_size=200)


@given(st.lists(st.tuples(WORDS, st.sampled_from(["", "good"])), max_size=5), st.integers(40, 200), st.integers(0, 60))
def test_wrapped_text_fits_and_loses_nothing_but_spaces(pieces: list[tuple[str, str]], width: int, hang: int) -> None:
    line = Text(tuple(Piece(*each) for each in pieces), hang)
    rows = ["".join(each.text for each in row) for row in wrapped(line, width)]
    assert max(map(width_of, rows)) <= width
    whole = "".join(each for each, _ in pieces)
    assert "".join("".join(rows).split()) == "".join(whole.split())


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_word_is_broken_that_fits_into_a_row(width: int) -> None:
    for line in page(Story(story())):
        words = "".join(each.text for each in line.pieces).split()
        rows = ["".join(each.text for each in row).split() for row in wrapped(line, width)]
        short = [word for word in words if len(word) < width - min(line.hang, width // 2)]
        assert [word for row in rows for word in row if word in short] == short


@given(st.text(max_size=60), st.integers(0, 40))
def test_what_is_cut_or_placed_has_its_width(told: str, width: int) -> None:
    assert width_of(cut(told, width)) <= width
    assert width_of(placed(told, width)) == width


def test_wide_characters_take_two_columns() -> None:
    assert width_of("日本é") == 5
    assert cut("日本語です", 5) == "日本…"


@given(st.text(max_size=80), st.lists(st.text(max_size=5), max_size=4))
def test_what_is_set_apart_loses_nothing(told: str, values: list[str]) -> None:
    assert "".join(each.text for each in marked_up(told, values, "capture")) == told


def test_colour_is_written_only_when_it_is_wanted() -> None:
    row = (Piece("a", "bad"), Piece("b"))
    assert painted(row, colored=False) == "ab"
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted(row, colored=True)) == "ab"
