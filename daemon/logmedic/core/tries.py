"""What was tried, in sentences: the steps of a fix that ran, what came of the last one, and whether it was undone."""

from __future__ import annotations

from collections.abc import Sequence

from logmedic.core.phrases import said, sentence, sentences, several
from logmedic.model.fix import AttemptKind, AttemptStatus, FixAttempt, Verdict

STEPS_TOLD = 4
"""Names of steps in a sentence; a ladder is seldom longer."""


def tried(attempts: Sequence[FixAttempt]) -> str:
    """`attempts` oldest first; empty when no step ran. A rollback is told beside the step that it undoes: it is no try
    to mend anything."""
    steps = steps_of(attempts)
    if not steps:
        return ""
    last = steps[-1]
    return " ".join([*_before(steps), _ended(last), *_verdict(last), *_undone(attempts)])


def steps_of(attempts: Sequence[FixAttempt]) -> list[FixAttempt]:
    return [each for each in attempts if each.kind is AttemptKind.STEP]


def _before(steps: Sequence[FixAttempt]) -> list[str]:
    """How much was tried, when it was more than one thing."""
    if len(steps) == 1:
        return []
    counts: dict[str, int] = {}
    for each in steps:
        counts[said(each.step_name, 60)] = counts.get(said(each.step_name, 60), 0) + 1
    if len(counts) == 1:
        return [f"{len(steps)} tries of the same step, the last one:"]
    named = [name if n == 1 else f"{name} ({n} times)" for name, n in list(counts.items())[:STEPS_TOLD]]
    more = [f"{len(counts) - STEPS_TOLD} more"] if len(counts) > STEPS_TOLD else []
    return [
        sentence(f"{several(len(steps), 'try', 'tries')}: {', '.join([*named, *more])}"),
        "The last one:",
    ]


def _ended(attempt: FixAttempt) -> str:
    return f"{_named(attempt)}: {_exit(attempt)}."


def _named(attempt: FixAttempt) -> str:
    words = said(" ".join(attempt.argv), 160)
    return f"{said(attempt.step_name, 80)} ({words})" if words else said(attempt.step_name, 80)


def _exit(attempt: FixAttempt) -> str:
    if attempt.exit_code is not None:
        return f"exit {attempt.exit_code}"
    return "it is running" if attempt.status is AttemptStatus.RUNNING else "it did not end by itself, or never ran"


def _verdict(attempt: FixAttempt) -> list[str]:
    match attempt.verdict:
        case Verdict.FIXED:
            words = "It worked"
        case Verdict.NOT_FIXED:
            words = "It did not work"
        case Verdict.UNKNOWN:
            words = "Nobody can say whether it worked"
        case None if attempt.status is AttemptStatus.RUNNING:
            return []
        case None:
            return ["Whether it worked is being checked."]
    why = said(attempt.detail or _last_line(attempt.output), 240)
    return [sentence(f"{words}: {why}" if why else words)]


def _last_line(output: str) -> str:
    """Of what a program writes, the last line mostly says why it gave up."""
    lines = output.rstrip().rsplit("\n", 1)
    return lines[-1] if lines else ""


def _undone(attempts: Sequence[FixAttempt]) -> list[str]:
    last = attempts[-1]
    if last.kind is not AttemptKind.ROLLBACK:
        return []
    if last.status is AttemptStatus.RUNNING:
        return [f"It is being undone by {_named(last)}."]
    if last.exit_code == 0:
        return [f"It was undone by {_named(last)}."]
    if last.verdict is Verdict.UNKNOWN:
        return [sentences(f"Nobody can say whether {_named(last)} undid it")]
    why = said(last.detail or _last_line(last.output), 160)
    return [sentences(f"Undoing it failed, by {_named(last)}: {_exit(last)}", why)]
