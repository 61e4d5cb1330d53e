"""Why a line is known, or not: asked of the rules in force, beside the lines that are read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any

from logmedic.core.explain import Explainer, Explanation, Verdict
from logmedic.core.explainrows import LONGEST, explained
from logmedic.core.reportmatch import SOURCE
from logmedic.core.reports import BadReport
from logmedic.core.samplereports import block_of, written
from logmedic.model.errors import OrderRefused, TransientError
from logmedic.model.record import Block, Checkpoint, Entry
from logmedic.model.state import EngineState
from logmedic.ports import Clock
from logmedic.runtime.live import Generation
from logmedic.runtime.standing import standing

Row = dict[str, Any]
MOST_WAITING = 4
"""Questions that wait for the one that is worked on: each may take seconds, and one at a time is enough (I6)."""
ANYWHERE = "argument"
"""A source that every rule hears."""


class Explaining:
    """One question at a time, in a thread: patterns may take long on a line that somebody made for them."""

    def __init__(
        self,
        generation: Callable[[], Generation],
        state: Callable[[], EngineState],
        *,
        clock: Clock,
        zone: tzinfo,
        boot_at: datetime | None,
    ) -> None:
        self._generation = generation
        self._state = state
        self._clock = clock
        self._zone = zone
        self._boot_at = boot_at
        self._working = asyncio.Lock()
        self._waiting = 0

    async def explain(self, line: str, source: str = "", rule: str = "", report: str = "") -> Row:
        """As ports.Control.explain."""
        block = _report_block(report, self._clock.now()) if report else self._line_block(line, source)
        if self._waiting > MOST_WAITING:
            raise TransientError("others ask as well", "ask again in a few seconds")
        self._waiting += 1
        try:
            async with self._working:
                generation, now = self._generation(), self._clock.now()
                named = frozenset({rule} if rule else ())
                explainer = Explainer(generation.matcher, generation.ruleset.rules, self._zone, self._boot_at, named)
                explanation = await asyncio.to_thread(explainer.explain, block)
        finally:
            self._waiting -= 1
        return self._told(explanation, SOURCE if report else source, generation, now)

    def _line_block(self, line: str, source: str) -> Block:
        if not line.strip():
            raise OrderRefused("there is no line to explain", "paste one, as it stands in the log")
        if len(line) > LONGEST:
            raise OrderRefused(f"the line has {len(line)} characters", f"{LONGEST} at most: logmedic rules explain -")
        return _block(line, source, self._clock.now())

    def _told(self, explanation: Explanation, source: str, generation: Generation, now: datetime) -> Row:
        def would(verdict: Verdict) -> Row | None:
            if verdict.match is None:
                return None
            asked = {"captures": dict(verdict.match.captures), "part": verdict.part, "source": source, "at": now}
            quarantined = generation.matcher.quarantined
            told = standing(self._state(), generation.policy, verdict.rule.id, quarantined, now, asked)
            return {"daemon": True, "note": "", **told}

        return explained(explanation, source, would)


def _report_block(report: str, now: datetime) -> Block:
    try:
        return block_of(written(report), now)
    except BadReport as bad:
        raise OrderRefused(f"the report cannot be explained: {bad.text}", bad.hint) from None


def _block(line: str, source: str, now: datetime) -> Block:
    """One record, however many lines it has."""
    name, _, unit = (source or ANYWHERE).partition(":")
    content = line.replace("\r\n", "\n").strip("\n").encode("utf-8", "replace") + b"\n"
    entries = (Entry(0, None, {}, unit),) if unit else ()
    reached = Checkpoint(ANYWHERE, name, len(content), now)
    return Block(name, ANYWHERE, content, 0, reached, now, complete=True, entries=entries)
