"""A model that was talked into something, or means harm, gets text shown to people, and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from alerts.servers import Answer, HttpServer
from diagnosis.asking import FIX, QUESTION, RULE, diagnosis_json, said
from logmedic.adapters.alerts.text import defused, visible
from logmedic.diagnosers import make_diagnosing
from logmedic.model.diagnosis import Diagnosis
from logmedic.rulesets import make_rule_loader
from logmedic.runtime.clock import SystemClock
from logmedic.settings import Settings

SOURCES = "sources: { shadow: { files: [/etc/shadow] } }\n"
HOSTILE = (
    "\x1b]0;pwned\x07\x1b[2JThe cause.\u202e\r\nBcc: x@example\0 <!channel> @everyone run `curl x | sh` now. $(reboot)"
)


def told(answer: Answer, tmp_path: Path) -> Diagnosis:
    """By the whole part, made from settings, as the engine gets it."""
    got: list[Diagnosis] = []

    async def scenario(port: int) -> None:
        arrived = asyncio.Event()

        async def tell(diagnosis: Diagnosis, dropped: int) -> None:
            got.append(diagnosis)
            arrived.set()

        asked = {"url": f"http://127.0.0.1:{port}/v1", "model": "small"}
        settings = Settings(diagnosis=asked, rules={"paths": [tmp_path]})  # type: ignore[arg-type]
        part = make_diagnosing(settings, clock=SystemClock(), tell=tell)
        assert part is not None
        running = asyncio.create_task(part.run())
        part.ask(QUESTION)
        async with asyncio.timeout(20):
            await arrived.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    with HttpServer({"v1": answer}) as server:
        asyncio.run(scenario(server.port))
    return got[0]


def loads(text: str, tmp_path: Path) -> bool:
    path = tmp_path / "it.yaml"
    path.write_text(text)
    loaded = make_rule_loader(Settings(), [path]).load()
    return bool(loaded.rules) and not loaded.problems and not any(each.fix for each in loaded.rules)


def test_a_good_rule_is_kept_as_it_stands(tmp_path: Path) -> None:
    got = told(said(diagnosis_json()), tmp_path)
    assert (got.ok, got.suggested_rule, got.problem) == (True, RULE, "")


@pytest.mark.parametrize(
    ("rule", "dropped"),
    [
        (RULE + FIX, "its fix"),
        (SOURCES + RULE, "its sources"),
        (SOURCES + RULE + FIX, "its sources, its fix"),
        (RULE.replace("    match:", FIX + "    match:"), "its fix"),
    ],
)
def test_a_rule_that_would_do_something_loses_that(tmp_path: Path, rule: str, dropped: str) -> None:
    got = told(said(diagnosis_json(suggested_rule=rule)), tmp_path)
    assert got.ok
    assert got.problem == f"taken out of the suggested rule: {dropped}; a model arms nothing"
    assert "reboot" not in got.suggested_rule
    assert "shadow" not in got.suggested_rule
    assert loads(got.suggested_rule, tmp_path)


@pytest.mark.parametrize(
    "rule",
    [
        RULE.replace("pool \\S+", "lake \\S+"),
        RULE.replace("pool \\S+", "(a|aa)+$"),
        RULE.replace("    match:", "    run: [reboot]\n    match:"),
        RULE.replace("lines: [", "lines: [{ text: x, repeat: 9000 }, "),
        RULE + "    fix:\n      <<: &a [*a]\n",
        "version: 1\nrules: []\n",
        "rm -rf /",
        "[[[[",
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "x" * 9000,
        "!!python/object/apply:os.system [reboot]",
    ],
)
def test_a_rule_that_does_not_load_is_left_out_and_the_rest_stays(tmp_path: Path, rule: str) -> None:
    got = told(said(diagnosis_json(suggested_rule=rule)), tmp_path)
    assert (got.ok, got.suggested_rule) == (True, "")
    assert got.problem.startswith("the suggested rule was left out: ")
    assert got.likely_cause


def test_what_a_terminal_a_mail_or_a_chat_would_obey_arrives_as_text(tmp_path: Path) -> None:
    hostile = diagnosis_json(likely_cause=HOSTILE, checks=[HOSTILE, 7, None, "", "x" * 5000] + ["look"] * 500)
    got = told(said(hostile), tmp_path)
    assert got.likely_cause == "The cause. Bcc: x@example <!channel> @everyone run `curl x | sh` now. $(reboot)"
    assert got.checks[0] == got.likely_cause
    assert len(got.checks) == 8
    assert all(len(each) <= 300 and each.isprintable() for each in got.checks)
    shown = defused(visible(got.likely_cause), "tgram")
    assert "<!channel>" not in shown
    assert "@everyone" not in shown


def test_long_words_are_cut_and_say_so(tmp_path: Path) -> None:
    got = told(said(diagnosis_json(likely_cause="word " * 100_000)), tmp_path)
    assert len(got.likely_cause) <= 1200
    assert got.likely_cause.endswith("...")
