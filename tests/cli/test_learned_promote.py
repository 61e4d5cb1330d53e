"""`learned promote` as it is typed: the draft passes the strictest check there is, from a daemon and from its store."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from cli.test_rules_new import logmedic
from contracts.test_learned_question import FIXED, INC, LEARNED
from contracts.test_store_contract import ISSUE, NOW
from fakes.served import serving
from logmedic.adapters.store.duck import DuckStore
from logmedic.model.changeset import Changeset
from logmedic.model.issue import IssueSource, Template
from logmedic.model.learned import OrdinaryLine

HEAD = "Nov 24 03:12:41 web1 nginx[811]: "
SAMPLES = tuple(
    f"{HEAD}error: cannot reach upstream 10.0.0.{n}:8080 with token=tr0ub4dor{n}, tried {n} times" for n in (7, 8, 9)
)
SEEN = Changeset(
    issues=(
        ISSUE,
        replace(LEARNED, occurrences=7, first_seen=NOW - timedelta(minutes=5), version="1.4", tags=("nginx",)),
    ),
    templates=(
        Template(
            *("t1", "error: cannot reach upstream <hostport> with token=<*>, tried <n> times", "nginx", SAMPLES[0]),
            *(7, NOW, NOW),
            issue_id=LEARNED.id,
            samples=SAMPLES,
            source="web",
        ),
    ),
    incidents=(replace(INC, source="web"),),
    attempts=(replace(FIXED, argv=("/usr/bin/systemctl", "restart", "nginx.service")),),
    ordinary=tuple(OrdinaryLine("web", n, f"{HEAD}reached upstream 10.0.0.{n}:8080 at once") for n in range(9)),
)
REPORTED = replace(LEARNED, id="0193-reported", fingerprint="reported:degraded:checkout:recommendations")
BREAKER = replace(REPORTED, id="0193-breaker", source=IssueSource.BREAKER, fingerprint="reported:breaker:shop:payments")
CONFIG = "sources: { web: { files: [/var/log/web/*.log] } }\nrules: { paths: [%s/rules.d] }\n"


def config(directory: Path) -> str:
    (directory / "rules.d").mkdir(exist_ok=True)
    (directory / "logmedic.yaml").write_text(CONFIG % directory)
    return str(directory / "logmedic.yaml")


def test_the_draft_passes_the_strict_check_and_its_tests_as_it_is(tmp_path: Path) -> None:
    file, settings = tmp_path / "draft.yaml", config(tmp_path)
    with serving(tmp_path / "s", SEEN):
        code, out, err = logmedic(
            "learned", "promote", "learned", "-w", str(file), "-c", settings, socket=tmp_path / "s"
        )
    assert (code, out) == (0, "")
    assert f"next: logmedic rules check {file}" in err
    for command in (("check", "--strict"), ("test",)):
        code, out, err = logmedic("rules", *command, str(file), "-c", settings)
        assert code == 0, out + err
    given = "\n".join((*SAMPLES, *(each.text for each in SEEN.ordinary)))
    _, told, _ = logmedic("rules", "explain", "-", "--rules", str(file), "-c", settings, "-o", "json", given=given)
    assert [bool(row["matched"]) for row in json.loads(told)] == [True] * 3 + [False] * 9


def test_it_says_what_was_seen_and_what_worked_before_and_no_secret(tmp_path: Path) -> None:
    with serving(tmp_path / "s", SEEN):
        arguments = ("learned", "promote", LEARNED.id, "--id", "mine", "-o", "json", "-c", config(tmp_path))
        _, out, _ = logmedic(*arguments, socket=tmp_path / "s")
    answer = json.loads(out)
    assert (answer["id"], answer["path"]) == ("mine", None)
    text = answer["file"]
    assert "it was seen 7 times" in text
    assert "in version 1.4" in text
    assert "rule web-down, step restart: worked once" in text
    assert "$ /usr/bin/systemctl restart nginx.service" in text
    assert "tr0ub4dor" not in text
    assert "\n    fix:" not in text


def test_without_a_daemon_the_store_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "state" / "logmedic.duckdb"

    async def fill() -> None:
        store = DuckStore(path)
        await store.open()
        await store.commit(SEEN)
        await store.close()

    asyncio.run(fill())
    code, out, err = logmedic("learned", "promote", "rned", "--store", str(path), "-c", config(tmp_path))
    assert code == 0, err
    assert "no daemon is running" in err
    assert out.startswith("# A draft made from what was seen.")


@pytest.mark.slow
def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("mine")
    with serving(tmp_path / "s", SEEN):
        arguments = ("learned", "promote", "learned", "-w", str(tmp_path / "x.yaml"), "-c", config(tmp_path))
        code, _, err = logmedic(*arguments, socket=tmp_path / "s")
    assert code == 1
    assert "is there already" in err
    assert (tmp_path / "x.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("changes", "issue", "code", "says"),
    [
        ({}, ISSUE.id, 5, "was not learned, it comes from a rule"),
        ({}, "nobody", 5, "no issue nobody"),
        ({"issues": (REPORTED,)}, "reported", 5, "was reported by an application, and no rule can be drafted from it"),
        ({"issues": (BREAKER,)}, "breaker", 5, "was reported by an application, and no rule can be drafted from it"),
        ({"templates": ()}, "learned", 1, "what this issue was learned from is forgotten"),
        ({"ordinary": (OrdinaryLine("web", 0, SAMPLES[0]),)}, "learned", 1, "no rule can be drafted"),
    ],
    ids=["of a rule", "unknown", "a degraded feature", "an open breaker", "forgotten", "as ordinary lines"],
)
def test_what_no_rule_can_be_made_of_is_told(
    tmp_path: Path, changes: dict[str, object], issue: str, code: int, says: str
) -> None:
    with serving(tmp_path / "s", replace(SEEN, **changes)):  # type: ignore[arg-type]
        got, out, err = logmedic("learned", "promote", issue, "-c", config(tmp_path), socket=tmp_path / "s")
    assert (got, out) == (code, "")
    assert says in err
