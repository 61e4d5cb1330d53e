"""SEC's types of rules and ours, both as docs/from-sec.md shows them, on the same lines at the same times."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from logmedic.adapters.rulefiles.loader import RuleFileLoader
from logmedic.core.matcher import Matcher
from logmedic.core.rehearsal import Rehearsal
from logmedic.core.ruletest import run_tests
from logmedic.model.changeset import Changeset
from logmedic.model.fix import Arming
from logmedic.model.issue import IncidentStatus, Resolution
from logmedic.model.policy import Policy
from logmedic.model.record import Block, Checkpoint
from logmedic.model.rule import Rule
from rulefiles.sec_oracle import Line, sec_acts

DOC = (Path(__file__).parents[2] / "docs" / "from-sec.md").read_text()
START = datetime(2026, 11, 23, tzinfo=UTC)
FOREVER = timedelta(days=3650)
SLACK = 3
"""Seconds: a wait of ours goes on so much longer, and SEC looks at what is over once a second."""


def shown(section: str, language: str) -> str:
    text = re.split(r"^## ", DOC, flags=re.MULTILINE)
    [of] = [each for each in text if each.startswith(f"{section}\n")]
    [block] = re.findall(rf"^```{language}\n(.*?)^```", of, re.MULTILINE | re.DOTALL)
    return str(block)


def rules_of(section: str, room: Path) -> tuple[Rule, ...]:
    path = room / "rule.yaml"
    path.write_text(shown(section, "yaml"))
    loaded = RuleFileLoader([path], owners=None, prove=run_tests).load()
    assert loaded.problems == ()
    return loaded.rules


def we_act(rules: tuple[Rule, ...], lines: list[Line], until: int) -> list[str]:
    """In SEC's words. What ends by time alone is no action of SEC's."""
    acts: list[str] = []
    known: set[str] = set()

    def see(changeset: Changeset, _: datetime) -> None:
        for incident in changeset.incidents:
            what = f"{incident.rule_id} {incident.group_key}".strip()
            if incident.id not in known:
                known.add(incident.id)
                acts.append(f"opened {what}")
            if incident.status is IncidentStatus.RESOLVED and incident.resolution is not Resolution.EXPIRED:
                acts.append(f"ended {what}")

    policy = Policy(max_age=FOREVER, resolve_after=FOREVER).with_rules(rules, Arming(False, "", "rehearsal"))
    rehearsal = Rehearsal(policy, START, see)
    matcher = Matcher(rules, zone=UTC, any_source=frozenset({"any"}))
    for number, (after, text) in enumerate(lines):
        at, content = START + timedelta(seconds=after), f"{text}\n".encode()
        block = Block("any", "any", content, number << 20, Checkpoint("any", "any", len(content), at), at)
        for match in matcher.find(block).matches:
            rehearsal.match(match, at)
    rehearsal.wait(START + timedelta(seconds=until))
    return acts


def each(text: str, *seconds: int) -> list[Line]:
    return [(second, text) for second in seconds]


CASES: dict[str, tuple[list[Line], int, list[str]]] = {
    "Single": (
        each("raid: disk sda failed", 0, 5) + each("raid: disk sdb failed", 6) + each("raid: disk sda added", 7),
        60,
        ["opened disk-failed sda", "opened disk-failed sda", "opened disk-failed sdb"],
    ),
    "SingleWithSuppress": (
        each("mount: /srv is full", 0, 100) + each("mount: /var is full", 120) + each("mount: /srv is full", 290, 310),
        400,
        ["opened mount-full /srv", "opened mount-full /var", "opened mount-full /srv"],
    ),
    "SingleWithThreshold": (
        each("login: failure of anna", 0, 50, 65)
        + each("login: failure of bob", 70, 80)
        + each("login: failure of anna", 100, 105, 300, 310, 320),
        500,
        ["opened login-failures anna", "opened login-failures anna"],
    ),
    "SingleWith2Thresholds": (
        each("mail: queue is long", 0, 133, 328) + each("web: queue is long", 340, 900),
        4000,
        ["opened queue-long mail", "ended queue-long mail"],
    ),
    "Pair": (
        each("nfs: server box1 does not answer", 0, 30)
        + each("nfs: server box2 does not answer", 50)
        + each("nfs: server box1 answers", 200)
        + each("nfs: server box1 does not answer", 300, 4000),
        4100,
        [
            "opened nfs-away box1",
            "opened nfs-away box2",
            "ended nfs-away box1",
            "opened nfs-away box1",
            "opened nfs-away box1",
        ],
    ),
    "PairWithWindow": (
        each("job a begins", 0) + each("job b begins", 1) + each("job a ends", 50) + each("job b begins", 200),
        300,
        ["opened job-in-time a", "opened job-late b", "opened job-late b"],
    ),
    "EventGroup": (
        each("link of north is down", 0)
        + each("power of north is lost", 10)
        + each("link of north is down", 20)
        + each("link of south is down", 30, 200)
        + each("power of south is lost", 210)
        + each("link of south is down", 220),
        400,
        ["opened site-in-trouble north", "opened site-in-trouble south"],
    ),
    "Contexts": (
        each("load of web1 is high", 0)
        + each("backup begins", 600)
        + each("load of web1 is high", 700)
        + each("backup ends", 1200)
        + each("load of web1 is high", 1300),
        1400,
        ["opened load-high web1", "opened load-high web1"],
    ),
}


@pytest.mark.parametrize("section", CASES)
def test_a_rule_acts_as_often_as_sec_does(section: str, tmp_path: Path) -> None:
    lines, until, wanted = CASES[section]
    assert sec_acts(shown(section, "ini"), lines, until + SLACK, tmp_path) == wanted
    ours = we_act(rules_of(section, tmp_path), lines, until + SLACK)
    assert [act for act in ours if "backup-runs" not in act] == wanted


def test_every_type_of_the_page_is_compared() -> None:
    sections = re.findall(r"^## (.+)$", DOC, re.MULTILINE)
    assert sections == list(CASES)


TEXTS: dict[str, tuple[int, tuple[str, ...]]] = {
    "Single": (30, ("raid: disk sda failed", "raid: disk sdb failed")),
    "SingleWithSuppress": (750, ("mount: /srv is full", "mount: /var is full")),
    "SingleWith2Thresholds": (4500, ("mail: queue is long", "web: queue is long")),
    "Pair": (4500, tuple(f"nfs: server {box} {what}" for box in ("a", "b") for what in ("does not answer", "answers"))),
    "Contexts": (1500, ("backup begins", "backup ends", "load of web1 is high", "load of web2 is high")),
}
"""Where the two agree whatever comes; the page says where they do not."""


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("section", TEXTS)
def test_also_on_lines_that_come_as_they_like(section: str, seed: int, tmp_path: Path) -> None:
    chance = random.Random(f"{section} {seed}")
    span, texts = TEXTS[section]
    lines: list[Line] = [(at, chance.choice(texts)) for at in sorted(chance.sample(range(span), 25))]
    theirs = sec_acts(shown(section, "ini"), lines, span + 3700, tmp_path)
    ours = we_act(rules_of(section, tmp_path), lines, span + 3700)
    assert theirs
    assert sorted(act for act in ours if "backup-runs" not in act) == sorted(theirs)
