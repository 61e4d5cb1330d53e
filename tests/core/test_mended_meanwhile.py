"""Many calls fail of one thing: the fix works for the first, and those that are reported behind it hear so too."""

from __future__ import annotations

from datetime import timedelta

import builders as make
from logmedic.core.answers import answer_of
from logmedic.model.changeset import Changeset, ProbesFinished, StepFinished
from logmedic.model.fix import FixResult, ProbeResult
from logmedic.model.issue import IncidentStatus
from logmedic.model.report import AnswerState, Placed

ASKED = make.report(wait=timedelta(seconds=10))


def failed(bench: make.Bench, after: float) -> Changeset:
    return bench.give(make.observed(make.reported(ASKED, bench.now + timedelta(seconds=after))), after)


def mended() -> tuple[make.Bench, str]:
    """A bench on which the fix of the first report worked, and its incident, which is over."""
    bench = make.Bench(make.policy(make.RULE))
    failed(bench, 1)
    ((incident_id, _),) = bench.state.incidents.items()
    bench.give(StepFinished(bench.state.incidents[incident_id].attempt_id, FixResult(0, 0.1)), 0.1)
    over = bench.give(ProbesFinished(bench.state.incidents[incident_id].attempt_id, ProbeResult(True, "200")), 0.1)
    assert over.incidents[-1].status is IncidentStatus.RESOLVED
    return bench, incident_id


def test_what_was_reported_while_the_fix_worked_is_mended_and_opens_nothing() -> None:
    bench, incident_id = mended()
    changeset = failed(bench, 0.5)
    assert changeset.placed == (Placed(ASKED.key, "web-down", incident_id, mended=True),)
    assert not changeset.incidents
    answer = answer_of(ASKED.id, changeset.placed, {}, bench.now)
    assert (answer.state, answer.final, answer.incident) == (AnswerState.FIXED, True, incident_id)


def test_what_fails_long_after_the_fix_is_trouble_of_its_own() -> None:
    bench, incident_id = mended()
    changeset = failed(bench, 60)
    ((placed),) = changeset.placed
    assert not placed.mended
    assert placed.incident_id not in ("", incident_id)


def test_a_fix_that_did_not_work_mends_nothing() -> None:
    bench = make.Bench(make.policy(make.RULE))
    failed(bench, 1)
    (incident,) = bench.state.incidents.values()
    bench.give(StepFinished(incident.attempt_id, FixResult(1, 0.1)), 0.1)
    (placed,) = failed(bench, 0.5).placed
    assert (placed.mended, placed.incident_id) == (False, incident.id)
