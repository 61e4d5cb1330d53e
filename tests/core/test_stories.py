"""What people are told of each subject: what broke, what was tried, what happens next, what they do."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from itertools import product

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.told import (
    ALONE,
    ASKED,
    CAUSE,
    FAILED_OVER,
    INCIDENT,
    NOW,
    OPENED,
    RESTARTED,
    RULE,
    RUNNING,
    UNDONE,
    attempt,
    failed,
    held,
    over,
    story,
)
from logmedic.cli.root import logmedic
from logmedic.core.moments import moment_text
from logmedic.core.ownstories import of_ailing, of_quiet, of_refused
from logmedic.core.quotes import request_of, telling_line
from logmedic.core.shellwords import command, short
from logmedic.core.stories import of_incident
from logmedic.model.alertevent import AlertEvent
from logmedic.model.fix import AttemptStatus, FixAttempt, Verdict
from logmedic.model.issue import IDLE, UNDER_WAY, HoldReason, Incident, IncidentStatus, Resolution
from logmedic.model.match import MatchSpec
from logmedic.model.message import Story
from logmedic.model.rule import OnFailure, Rule
from logmedic.model.when import Absence, Clear, When

DUE = NOW + timedelta(minutes=30)
HOLDS: tuple[HoldReason | None, ...] = (None, *HoldReason)
IDLE_ONES = [
    replace(INCIDENT, status=status, hold=hold, hold_detail="12 fixes are used up" if hold else "", due_at=due)
    for status in sorted(IDLE)
    for hold in HOLDS
    for due in (None, DUE)
]
BUSY_ONES = [
    replace(INCIDENT, status=each, acted=True, due_at=due) for each in sorted(UNDER_WAY) for due in (None, DUE)
]
OVER_ONES = [over(each, notes) for each in Resolution for notes in ("", "silent for 15 min")]
TRIES: dict[str, list[FixAttempt]] = {
    "nothing": [],
    "running": [RUNNING],
    "checked": [replace(RUNNING, status=AttemptStatus.VERIFYING, exit_code=0)],
    "failed": [RESTARTED],
    "not known": [attempt(verdict=Verdict.UNKNOWN)],
    "fixed": [RESTARTED, attempt(verdict=Verdict.FIXED)],
    "killed": [attempt(exit_code=None, detail="its time was up after 30 s")],
    "undone": [RESTARTED, FAILED_OVER, UNDONE],
    "not undone": [FAILED_OVER, replace(UNDONE, exit_code=2, output="no such file")],
    "being undone": [FAILED_OVER, replace(UNDONE, exit_code=None, status=AttemptStatus.RUNNING)],
    "many": [attempt(f"step {n}") for n in range(9)],
}
RULES: dict[str, Rule] = {
    "plain": RULE,
    "bare": Rule("bare", "it is down", MatchSpec(("down",))),
    "absence": replace(RULE, when=When(Absence(timedelta(minutes=5)))),
    "closed by time": replace(RULE, when=When(clear=Clear(after=timedelta(hours=1)))),
    "each alone": replace(RULE, when=When(clear=Clear(after=timedelta(0)))),
    "cleared": replace(RULE, when=When(clear=Clear(match=MatchSpec(("up",)), quiet=timedelta(seconds=100)))),
    "recorded only": replace(RULE, fix=replace(RULE.fix, on_failure=OnFailure.RECORD)),  # type: ignore[type-var]
    "tells nobody": replace(RULE, alert=replace(RULE.alert, on=frozenset())),
}


def named(incident: Incident) -> str:
    due = "due" if incident.due_at else ""
    return f"{incident.status}-{incident.hold or ''}-{incident.resolution}-{due}"


def every_story(incident: Incident) -> tuple[Story, ...]:
    """Made once: several tests look at them. A third of all: each rule with each try is told of many incidents."""
    key = repr(incident)
    if key not in _TOLD:
        which = [*IDLE_ONES, *BUSY_ONES, *OVER_ONES].index(incident) % 3
        _TOLD[key] = tuple(
            of_incident(replace(incident, acted=acted), rule, AlertEvent.HELD, attempts)
            for rule, attempts, acted in [*product(RULES.values(), TRIES.values(), (False, True))][which::3]
        )
    return _TOLD[key]


_TOLD: dict[str, tuple[Story, ...]] = {}


def answers(told: Story) -> tuple[str, ...]:
    return told.broke, told.tried, told.following, told.to_do


def texts_of(told: Story) -> Iterator[str]:
    for each in fields(told):
        value = getattr(told, each.name)
        yield from (value if isinstance(value, tuple) else [value] if isinstance(value, str) else [])


def test_requests_that_failed_of_it_are_kept_the_newest_first() -> None:
    told = story(failed(requests=("req-1", "req-2", "req-3")), AlertEvent.FIX_FAILED)
    assert told.requests == ("req-3", "req-2", "req-1")
    assert request_of(told) == "req-3, and 2 more"
    assert request_of(replace(told, requests=("req-3",))) == "req-3"
    assert request_of(replace(told, requests=())) == ""


# -- every combination -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("incident", [*IDLE_ONES, *BUSY_ONES, *OVER_ONES], ids=named)
def test_however_an_incident_stands_the_four_questions_are_answered_in_whole_sentences(incident: Incident) -> None:
    for told in every_story(incident):
        for answer in answers(told):
            assert answer.endswith((".", "!", "?")), answer
            assert not re.search(r"\bNone\b|  |\n|(?<!\.)\.\.(?!\.)|[:,;] ?[.,;:]|\(\)|^[.,: ]", answer), answer
        assert told.outcome
        assert len(told.outcome) <= 36, told.outcome
        assert len(told.need) <= 32


@pytest.mark.parametrize("incident", [*IDLE_ONES, *BUSY_ONES, *OVER_ONES], ids=named)
def test_a_title_has_a_need_exactly_when_there_is_something_to_do(incident: Incident) -> None:
    for told in every_story(incident):
        assert (told.need == "") == told.to_do.startswith("Nothing")


@pytest.mark.parametrize("incident", [*IDLE_ONES, *BUSY_ONES], ids=named)
def test_no_time_is_promised_but_the_one_at_which_it_is_looked_at(incident: Incident) -> None:
    promised = {moment_text(incident.due_at)} if incident.due_at is not None else set()
    for told in every_story(incident):
        assert set(re.findall(r"\d{4}-\d\d-\d\d [\d:]+ UTC", told.following)) <= promised


@pytest.mark.parametrize("incident", [*IDLE_ONES, *BUSY_ONES, *OVER_ONES], ids=named)
def test_the_shell_command_is_valid_as_it_stands(incident: Incident) -> None:
    for shell in {told.command for told in every_story(incident)}:
        accepted(shell)


@pytest.mark.parametrize(
    "name", sorted(name for name in ALONE if not name.startswith(("daemon-failed", "part-failed", "store")))
)
def test_so_is_that_of_everything_else(name: str) -> None:
    accepted(ALONE[name].command)


@pytest.mark.parametrize("word", ["a b", "$(reboot)", "'; rm -rf /", "-x\nreboot", "\x1b[2J", "a\u202eb"])
def test_a_shell_takes_a_hostile_word_as_one_word(word: str) -> None:
    line = command("sources", word)
    assert "\n" not in line
    assert len(shlex.split(line)) == 3


def accepted(line: str) -> None:
    """Every word of it is one that the command line knows, or takes."""
    program, *arguments = shlex.split(line)
    assert program == "logmedic"
    found: click.Command = logmedic
    context: click.Context | None = None
    while isinstance(found, click.Group):
        context = found.make_context(found.name, arguments, parent=context)
        rest = [*context._protected_args, *context.args]
        if not rest:
            return
        _, found, arguments = found.resolve_command(context, rest)  # type: ignore[assignment]
    found.make_context(found.name, arguments, parent=context)


def test_every_event_has_its_words() -> None:
    assert {each.event for each in ALONE.values()} == set(AlertEvent) - {AlertEvent.DIGEST}


# -- what was tried ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tries", "wanted"),
    [
        ("running", "restart app (restart app.service): it is running."),
        ("checked", "restart app (restart app.service): exit 0. Whether it worked is being checked."),
        ("failed", "exit 0. It did not work: http://10.0.0.12:8080/healthz: connection refused for 30 s."),
        ("not known", "Nobody can say whether it worked: "),
        ("fixed", "2 tries of the same step, the last one: restart app (restart app.service): exit 0. It worked: "),
        ("killed", "it did not end by itself, or never ran. It did not work: its time was up after 30 s."),
        ("undone", "2 tries: restart app, fail over. The last one: fail over (/usr/local/lib/failover 10.0.0.12:8080)"),
        ("undone", "exit 3. It did not work: standby 10.0.0.13 is not in sync. It was undone by take it back"),
        ("not undone", "Undoing it failed, by take it back (/usr/local/lib/failback): exit 2. no such file."),
        ("being undone", "It is being undone by take it back (/usr/local/lib/failback)."),
        ("many", "9 tries: step 0, step 1, step 2, step 3, 5 more. The last one: step 8"),
    ],
)
def test_what_was_tried_is_told_with_its_verdict(tries: str, wanted: str) -> None:
    assert wanted in story(failed(), AlertEvent.FIX_FAILED, TRIES[tries]).tried


@pytest.mark.parametrize(
    ("incident", "wanted"),
    [
        (ASKED, "Nothing yet: the fix waits for your approval."),
        (held(HoldReason.OBSERVE, "the rule's mode is observe"), "Nothing: the fix is not run (observe)."),
        (held(HoldReason.NO_FIX, "the rule or its fix is gone"), "Nothing: the rule or its fix is gone."),
        (replace(failed(), acted=False), "Nothing: the checks before its steps said that none of them applies."),
        (failed(), "A fix was run; its steps are too long ago to be told here."),
        (replace(INCIDENT, status=IncidentStatus.CHECKING), "Nothing yet."),
        (over(Resolution.QUIET, "silent for 15 min"), "Nothing."),
    ],
    ids=lambda each: each if isinstance(each, str) else named(each),
)
def test_where_no_step_ran_it_says_why(incident: Incident, wanted: str) -> None:
    assert story(incident, AlertEvent.HELD).tried == wanted


# -- what happens next -------------------------------------------------------------------------------------------------


AT = moment_text(DUE)


@pytest.mark.parametrize(
    ("incident", "wanted"),
    [
        (ASKED, f"Nothing before you decide. The request expires at {AT}; then the fix is not run."),
        (failed(), f"If this comes again, the fix is run again, not before {AT}."),
        (replace(failed(), due_at=None), "If this comes again, the fix is run again."),
        (
            failed(HoldReason.BREAKER_OPEN),
            f"The breaker is open. If this comes again, one trial of the fix is let through, not before {AT}.",
        ),
        (
            held(HoldReason.MAINTENANCE, "", DUE - NOW),
            f"No fix starts in a maintenance window. The fix is looked at again at {AT}, and runs then if nothing else",
        ),
        (held(HoldReason.PAUSED, "all fixes are paused by root"), "Nothing by itself: all fixes are paused by root."),
        (
            held(HoldReason.PAUSED, "", DUE - NOW),
            f"Fixes are paused. The fix is looked at again at {AT}, and runs then",
        ),
        (held(HoldReason.REJECTED, "rejected by ann"), "The fix is not run: rejected by ann. The next match asks"),
        (
            replace(INCIDENT, status=IncidentStatus.RETRYING, due_at=DUE),
            f"It is tried again at {AT}. You are told when it is over and when the fix does not hold.",
        ),
        (
            replace(INCIDENT, status=IncidentStatus.SETTLING, due_at=DUE),
            f"The fix counts as good when nothing more of this is logged until {AT}.",
        ),
        (over(Resolution.QUIET, "silent for 15 min"), "Nothing, it is over: silent for 15 min."),
        (over(Resolution.FIXED, "x"), "Nothing, it is over: it was fixed, and that was checked."),
    ],
    ids=lambda each: each[:40] if isinstance(each, str) else named(each),
)
def test_what_happens_next_is_what_the_engine_does(incident: Incident, wanted: str) -> None:
    assert story(incident, AlertEvent.HELD).following.startswith(wanted)


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("plain", "The incident counts as over after 15 min of silence. You are told then."),
        ("bare", "The incident counts as over after enough silence. You are told then."),
        ("absence", "The incident counts as over once what is missing comes. You are told then."),
        ("closed by time", "The incident counts as over 1 h after it was opened"),
        ("each alone", "It is over with this one: each match is told by itself."),
        ("cleared", "The incident counts as over once a line says so or after 100s of silence."),
    ],
)
def test_when_it_counts_as_over_is_what_its_rule_says(rule: str, wanted: str) -> None:
    told = of_incident(held(HoldReason.NO_FIX, ""), RULES[rule], AlertEvent.OPENED, ())
    assert wanted.replace("1 h after", "60 min after") in told.following


def test_nobody_is_promised_news_that_the_rule_does_not_want_told() -> None:
    silent, busy = RULES["tells nobody"], replace(INCIDENT, status=IncidentStatus.FIXING)
    assert "You are told" not in of_incident(busy, silent, AlertEvent.STILL_OPEN, ()).following
    assert "You are told" not in of_incident(failed(), silent, AlertEvent.STILL_OPEN, ()).following
    kept = of_incident(busy, RULES["recorded only"], AlertEvent.STILL_OPEN, ()).following
    assert kept.endswith("You are told when it is over.")


def test_what_was_closed_by_the_clock_is_not_called_well() -> None:
    told = story(over(Resolution.EXPIRED, "1h after it was opened"), AlertEvent.RECOVERED)
    assert "nobody checked" in told.to_do
    assert "fixed" not in told.outcome


# -- what is quoted ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("evidence", "wanted"),
    [
        ("", ""),
        (" \n\t\n", ""),
        ("one line", "one line"),
        ("\n\n  first\n  second", "first"),
        (ALONE["escalated"].evidence, "shop.errors.OutOfStock: item 4711 is gone, password=[masked]"),
        ("x" * 5000, "x" * 237 + "..."),
    ],
    ids=["nothing", "blanks", "one line", "the first that says something", "of a trace the last", "long"],
)
def test_one_line_of_evidence_is_quoted(evidence: str, wanted: str) -> None:
    assert telling_line(evidence) == wanted


def test_all_of_the_evidence_stays_with_the_story() -> None:
    text = "Traceback:\n\tone\n\ttwo"
    assert story(replace(INCIDENT, evidence=text), AlertEvent.OPENED).evidence == text


SECRET = "password=hunter2hunter2"


@pytest.mark.parametrize(
    "hidden", [SECRET, "pass\u200bword=hunter2hunter2", "pass\x1b[0mword=\x1b[31mhunter2hunter2\x1b[0m"]
)
def test_no_secret_is_told_wherever_it_stands(hidden: str) -> None:
    incident = replace(INCIDENT, title=hidden, evidence=hidden, hold=HoldReason.BUDGET, hold_detail=hidden)
    tries = [attempt(hidden, (hidden,), detail=hidden), attempt(detail="", output=hidden)]
    told = story(incident, AlertEvent.HELD, tries, history=(f"Likely cause: {hidden}",), would=(hidden,))
    done = story(over(Resolution.CLEARED, f"it is over: {hidden}"), AlertEvent.RECOVERED)
    own = [of_refused((hidden,), (hidden,), NOW), of_ailing("store", AlertEvent.STORE, hidden, hidden, "", NOW)]
    for each in (told, done, *own):
        assert not any("hunter2" in text for text in texts_of(each))


def test_the_likely_cause_comes_before_other_history() -> None:
    told = story(INCIDENT, AlertEvent.OPENED, history=("History: it came back", CAUSE))
    assert told.history == (CAUSE, "History: it came back")


def test_what_is_over_tells_no_cause_and_no_runbook() -> None:
    told = story(over(Resolution.FIXED, "x"), AlertEvent.RECOVERED, history=(CAUSE,), would=("a",), effects=3)
    assert (told.history, told.would, told.runbook, told.effects, told.need) == ((), (), "", 0, "")


# -- hostile text (F74) ------------------------------------------------------------------------------------------------


@given(st.text(max_size=200), st.sampled_from([*IDLE_ONES, *OVER_ONES]))
def test_f74_no_text_of_a_log_hides_turns_or_breaks_a_line(hostile: str, incident: Incident) -> None:
    bad = replace(
        incident, title=hostile, evidence=hostile, source=hostile, hold_detail=hostile, resolution_notes=hostile
    )
    tries = [attempt(hostile, (hostile,), detail=hostile)]
    told = of_incident(bad, RULE, AlertEvent.HELD, tries, (hostile,), (hostile,))
    for name in ("symptom", "outcome", "need", "broke", "tried", "following", "to_do", "command", "source"):
        assert is_plain(getattr(told, name)), name
    assert all(map(is_plain, (*told.history, *told.would)))
    assert is_plain(told.evidence.replace("\n", "").replace("\t", ""))


@given(st.text(max_size=100))
def test_f74_so_it_is_with_the_names_of_sources(hostile: str) -> None:
    told = of_quiet(hostile, OPENED)
    assert all(is_plain(each) for each in texts_of(replace(told, subject="")))


def is_plain(text: str) -> bool:
    return not any(unicodedata.category(each) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for each in text)


def test_an_id_is_shown_by_its_end() -> None:
    assert short(INCIDENT.id) == "6f2a91c3"
