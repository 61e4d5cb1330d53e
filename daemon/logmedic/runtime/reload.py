"""Reload: build all of the new, then swap one reference. Requests that come together are one reload (F37)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from logmedic.model.fix import Arming
from logmedic.model.policy import Policy
from logmedic.model.problem import RuleProblem
from logmedic.model.rule import Mode, RuleSet
from logmedic.ports import Clock, FixRunner, Notifier, RuleFiles
from logmedic.runtime.live import Generation, Live, MakeMatcher, build

log = structlog.get_logger("logmedic.reload")

DEBOUNCE_S = 0.1
"""Editors write a file in several steps (F35); the last of them within this time starts the reload."""

GOOD, PARTLY, FAILED = "good", "partly", "failed"


class Reloader:
    """The only writer of `live`."""

    def __init__(
        self,
        *,
        loader: RuleFiles,
        live: Live,
        runner: FixRunner,
        make_matcher: MakeMatcher,
        notifier: Notifier,
        clock: Clock,
    ) -> None:
        self._loader = loader
        self._live = live
        self._runner = runner
        self._make_matcher = make_matcher
        self._notifier = notifier
        self._clock = clock
        self.then: Callable[[RuleSet], Awaitable[object]] | None = None
        """What else follows the rules in force."""
        self.loaded_at = clock.now()
        self.results: Counter[str] = Counter()
        """How many reloads went so since the start: GOOD, PARTLY (files with mistakes), FAILED (as before)."""
        self.last_failed = False
        self._wanted = asyncio.Event()
        self._turn = asyncio.Lock()

    def request(self) -> None:
        """Reload soon. For signal handlers and file events."""
        self._wanted.set()

    async def run(self) -> None:
        """Serve requests until cancelled."""
        while True:
            await self._wanted.wait()
            while self._wanted.is_set():
                self._wanted.clear()
                await self._clock.sleep(DEBOUNCE_S)
            await self.reload()

    async def reload(self) -> dict[str, Any]:
        """Load, arm and compile beside what runs, then swap. What is broken keeps its last good version. What raises is
        wanted still: `run` tries it again, and who restarts that waits longer each time."""
        async with self._turn:
            self._notifier.reloading()
            try:
                following = await self._renewed()
            except BaseException:
                self.results[FAILED] += 1
                self.last_failed = True
                self.request()
                raise
            finally:
                self._notifier.ready()  # else systemd ends a daemon that is well
            self.results[PARTLY if following.ruleset.problems else GOOD] += 1
            self.last_failed = False
            await asyncio.to_thread(self._loader.save)
            return tell_of(following)

    async def _renewed(self) -> Generation:
        current = self._live.current
        ruleset = await asyncio.to_thread(self._loader.load, current.ruleset)
        made, was = self._make_matcher, current.policy.arming
        arming = asyncio.create_task(self._runner.arm(ruleset.rules))
        try:
            following = await asyncio.to_thread(build, ruleset, current.policy, made, was, current.matcher)
            if current.policy.mode is Mode.OBSERVE:  # nothing can run: the rules need not wait for the canary
                self._live.swap(following)
            following = following.armed(await arming)
        finally:
            arming.cancel()
            await asyncio.gather(arming, return_exceptions=True)
        self._live.swap(following)
        self.loaded_at = self._clock.now()
        if self.then is not None:
            await self.then(ruleset)
        return following


def tell_of(generation: Generation) -> dict[str, Any]:
    """Log what was loaded; the same as a row."""
    ruleset = generation.ruleset
    problems = [problem_line(problem) for problem in ruleset.problems]
    for problem, shown in zip(ruleset.problems, problems, strict=True):
        if problem.file in ruleset.stale_files:  # its last good version is in force
            log.warning("rule_problem", problem=shown)
        else:
            log.error("rule_problem", problem=shown)
    for warning in ruleset.warnings:
        log.warning("rule_warning", warning=problem_line(warning))
    count, revision = len(generation.policy.rules), ruleset.revision
    log.info("rules_loaded", rules=count, revision=revision, problems=len(problems), armed=_armed(generation))
    stale = list(ruleset.stale_files)
    return {"loaded": count, "revision": revision, "problems": problems, "stale_files": stale}


def _armed(generation: Generation) -> str:
    arming: Arming = generation.policy.arming
    return arming.sandbox if arming.armed else f"DISARMED: {arming.reason}"


def problem_line(problem: RuleProblem) -> str:
    return f"{problem.file}:{problem.line}:{problem.column}: {problem.text}"


async def first_generation(
    loader: RuleFiles, policy: Policy, runner: FixRunner, make_matcher: MakeMatcher, *, arm: bool
) -> Generation:
    """What the daemon starts with. Without `arm` nothing is tried, and nothing will run."""
    ruleset = await asyncio.to_thread(loader.load)
    arming = await runner.arm(ruleset.rules) if arm else Arming(armed=False, sandbox="", reason="not armed in this run")
    generation = await asyncio.to_thread(build, ruleset, policy, make_matcher, arming)
    tell_of(generation)
    return generation
