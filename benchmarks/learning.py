"""Scenarios 14 and 15: errors that no rule knows, from bytes to the engine's state, the store left out."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC
from itertools import islice

from benchmarks.corpus import WORDS, Corpus, blocks
from benchmarks.scanning import MARK, NOW, block_of
from benchmarks.table import Row
from logmedic.core.decide import decide
from logmedic.core.matcher import Matcher
from logmedic.model.changeset import Observed
from logmedic.model.policy import LearningPolicy, Policy
from logmedic.model.state import EngineState
from logmedic.runtime.clock import Uuid7

LINES = 100_000
KEPT = LearningPolicy().max_templates
POLICY = Policy(rules={})
BLOCK_LINES = 1000
KINDS_A_BLOCK = 100
ROUNDS, KNOWN_AFTER = 2, 12
"""Lines of a kind: more than it takes to be promoted and to escalate."""


class _Learner:
    """A matcher without rules, and the state that it fills."""

    def __init__(self) -> None:
        self._matcher, self._mint = Matcher([], zone=UTC), Uuid7()
        self.state = EngineState()

    def learn(self, content: Sequence[bytes]) -> float:
        """CPU seconds."""
        begun = time.process_time()
        for each in content:
            observed = Observed("bench", "bench", self._matcher.find(block_of(each)), MARK)
            self.state.apply(decide(self.state, POLICY, observed, NOW, self._mint))
        return time.process_time() - begun


def learn_rate(_: int) -> Iterator[Row]:
    """100,000 error lines of five programs beside drain3 with its defaults; both keep what they learn in memory."""
    content = list(islice(blocks(Corpus(20, hits=0.0, flagged=1.0).made()), 200))
    lines = b"".join(content).splitlines()[:LINES]
    content = [b"\n".join(lines[at : at + BLOCK_LINES]) + b"\n" for at in range(0, len(lines), BLOCK_LINES)]
    learner = _Learner()
    ours = learner.learn(content)
    told = f"{len(lines) / ours:,.0f} lines/s, {len(learner.state.templates)} templates"
    try:
        from drain3 import TemplateMiner
    except ImportError:
        yield Row("14", "learn rate", told, "drain3: not installed")
        return
    miner = TemplateMiner()
    texts = [line.decode("utf-8", "replace") for line in lines]
    begun = time.process_time()
    for text in texts:
        miner.add_log_message(text)
    peer = time.process_time() - begun
    beside = f"drain3: {len(lines) / peer:,.0f} lines/s, {len(miner.drain.clusters)} clusters"
    yield Row("14", "learn rate", told, beside, f"{peer / ours:,.0f}x", "20x", peer / ours >= 20)


def learn_growth(_: int) -> Iterator[Row]:
    """Lines of kinds that are known and promoted already, with 100 known and with as many as are kept, each as likely
    as any. A block has a hundred kinds either way, so that there are as many decisions."""
    few, many = (list(_kinds(count)) for count in (KINDS_A_BLOCK, KEPT))
    rates, known = [], []
    for kinds in (few, many):
        learner = _Learner()
        for _ in range(ROUNDS):
            learner.learn(_blocks([kind for kind in kinds for _ in range(KNOWN_AFTER)]))
        known.append(len(learner.state.templates))
        rates.append(LINES / learner.learn(list(_again(kinds))))
    slower = rates[0] / rates[1]
    ours, beside = f"{rates[1]:,.0f} lines/s with {known[1]:,} templates", f"{rates[0]:,.0f} lines/s with {known[0]}"
    yield Row("15", "learn growth", ours, beside, f"{slower:.2f}x slower", "1.3x", slower <= 1.3)


def _kinds(count: int) -> Iterator[bytes]:
    """Any two differ in two words at least, neither of which stands where values do: they are never taken for one."""
    size = len(WORDS)
    for n in range(count):
        digits = [n // size**power % size for power in range(3)]
        words = " ".join(WORDS[digit] for digit in (*digits, sum(digits) % size))
        yield f"2026-11-23 03:12:41,123 ERROR shop.jobs: job {n} failed while {words} were open\n".encode()


def _again(kinds: Sequence[bytes]) -> Iterator[bytes]:
    """Blocks of them."""
    chance = random.Random(1)
    for _ in range(LINES // BLOCK_LINES):
        yield b"".join(chance.choices(chance.sample(kinds, KINDS_A_BLOCK), k=BLOCK_LINES))


def _blocks(lines: Sequence[bytes]) -> list[bytes]:
    return [b"".join(lines[at : at + BLOCK_LINES]) for at in range(0, len(lines), BLOCK_LINES)]
