"""What is said when the daemon itself cannot run."""

from __future__ import annotations

import pytest

import builders as make
from logmedic.core.fallen import MISTAKES_TOLD, Fall, cause_of, story_of
from logmedic.core.titles import TITLE_LIMIT, Headline, title_of
from logmedic.model.alertevent import AlertEvent
from logmedic.model.message import MessageKind


@pytest.mark.parametrize(
    ("fall", "said"),
    [
        (Fall("exit-code", "exited", "3"), "its config is refused (exit code 3)"),
        (Fall("exit-code", "exited", "1", 4), "it ended with exit code 1, 4 restarts did not help"),
        (
            Fall("exit-code", "exited", "203", 4),
            "its program cannot be started (exit code 203), 4 restarts did not help",
        ),
        (Fall("signal", "killed", "KILL", 1), "it was killed by signal KILL, 1 restart did not help"),
        (Fall("signal", "killed", "3"), "it was killed by signal 3"),
        (Fall("core-dump", "dumped", "SEGV"), "it crashed"),
        (Fall("watchdog", "killed", "ABRT", 4), "it hung, and its watchdog ended it, 4 restarts did not help"),
        (Fall("oom-kill", "killed", "KILL"), "the kernel killed it: no memory was left"),
        (Fall("start-limit-hit", "exited", "0"), "it ended again and again"),
        (Fall("success", "exited", "0"), "it ended by itself"),
        (Fall("timeout", "killed", "KILL"), "it took too long to start, or to stop"),
        (Fall(), "it failed, and nobody knows how"),
        (Fall("\x1b[2J", "odd", "\n<!channel>" * 9), "it ended with exit code <!channel>..."),
    ],
    ids=str,
)
def test_how_it_ended_is_said_in_words(fall: Fall, said: str) -> None:
    assert cause_of(fall) == said


def test_a_config_that_does_not_load_is_the_cause_with_its_first_mistakes_and_what_to_type() -> None:
    mistakes = [f"/etc/logmedic/logmedic.yaml:{n}:3: unknown key `no{n}`" for n in range(1, 6)]
    story = story_of(Fall("exit-code", "exited", "3"), mistakes=mistakes, lines=(), now=make.START)
    assert story.event is AlertEvent.DAEMON_FAILED
    assert "its config does not load: /etc/logmedic/logmedic.yaml:1:3: unknown key `no1`" in story.broke
    assert f"and {5 - MISTAKES_TOLD} more" in story.broke
    assert story.command.startswith("sudo logmedic config check; ")
    title = title_of(Headline(MessageKind.NEWS, "db1", (story,)))
    assert title.startswith("[LOGMEDIC DOWN] db1: logmedic does not run - its config does not load")
    assert len(title) <= TITLE_LIMIT


def test_the_end_of_the_log_is_quoted_from_its_last_error_on_without_secrets() -> None:
    lines = [
        '{"level": "error", "event": "input_given_up", "kind": "Observed"}',
        '{"level": "info", "event": "started"}',
        '{"level": "error", "event": "stopped_by_failure", "error": "no password=hunter2sesame"}',
        "error: \x1b[31mthe store is locked\x1b[0m",
    ]
    story = story_of(Fall("exit-code", "exited", "1"), mistakes=(), lines=lines, now=make.START)
    first, second = story.evidence.splitlines()
    assert first.startswith('{"level": "error", "event": "stopped_by_failure"')
    assert "hunter2sesame" not in first
    assert second == "error: the store is locked"
    assert story.command.startswith("journalctl -u logmedic -n 50; sudo systemctl reset-failed logmedic; ")


def test_without_an_error_in_it_the_last_lines_of_the_log_are_quoted() -> None:
    lines = [f'{{"level": "info", "event": "e{n}"}}' for n in range(9)]
    story = story_of(Fall("signal", "killed", "KILL"), mistakes=(), lines=lines, now=make.START)
    assert story.evidence.splitlines() == lines[-3:]
    assert story_of(Fall(), mistakes=(), lines=(), now=make.START).evidence == ""
