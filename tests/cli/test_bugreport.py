"""`logmedic bugreport`: all that a report needs, and nothing that is nobody's business."""

from __future__ import annotations

import gzip
import json
import os
import re
import socket
import stat
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

import forked
from cli.surroundings import ENVIRONMENT
from endtoend.test_daemon import World, until
from logmedic.cli.bugreport import bundle, masking, parts
from logmedic.model.errors import OrderRefused

CANARIES = {
    "file": "canary-file-7Q2x",
    "env": "canary-env-8W3y",
    "url": "canary-url-9E4z",
    "line": "canary-line-1R5a",
    "title": "canary-title-2T6b",
}
CONFIG = """\
alerts:
  receivers:
    chat: "json://user:{url}@203.0.113.77/hook"
    other: "json://${{file:{file}}}@127.0.0.1:9/x"
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    secret = tmp_path / "secret"
    secret.write_text(CANARIES["file"])
    more = (
        "pw: { command: [/bin/sleep, '3', '${env:CANARY}'] }",
        "theirs: { files: [/srv/ann-the-admin/x.log] }",
    )
    sources = made.config.read_text().replace("from_start: true }", ", ".join(("from_start: true }", *more)))
    made.config.write_text(sources + CONFIG.format(url=CANARIES["url"], file=secret))
    rule = tmp_path / "rules" / "smoke.yaml"
    changes = {
        "'smoke (?P<n>\\d+)'": "'smoke (?P<n>\\d+) of (?P<who>\\S+)'",
        "{ n: int }": "{ n: int, who: word }",
        '"smoke was seen"': '"smoke was seen by {who}"',
        '"smoke 1"': '"smoke 1 of x"',
    }
    text = rule.read_text()
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    rule.write_text(text)
    return made


def bugreport(world: World, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**ENVIRONMENT, "CANARY": CANARIES["env"], "SUDO_USER": "ann-the-admin"}
    command = world.command("bugreport", *arguments)
    return forked.run(command, text=True, timeout=120, env=environment, cwd=cwd, check=False)


def texts(path: Path) -> dict[str, str]:
    with tarfile.open(path) as tar:
        return {each.name.partition("/")[2]: tar.extractfile(each).read().decode() for each in tar}  # type: ignore[union-attr]


@pytest.mark.slow
def test_no_planted_secret_is_in_the_bundle_of_a_daemon_that_runs(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY", CANARIES["env"])
    path = tmp_path / "report.tar.gz"
    command = world.command("run")
    with (tmp_path / "out").open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env={**ENVIRONMENT, "CANARY": CANARIES["env"]})
    try:
        until(lambda: world.ask("status") or process.poll() is not None, "it answers")
        assert process.poll() is None, (tmp_path / "out").read_text()
        world.write(f"smoke 1 of {CANARIES['title']} password={CANARIES['line']} from 203.0.113.99")
        until(lambda: world.titles(), "an incident is open")
        ran = bugreport(world, "-w", str(path), "--rules")
    finally:
        process.kill()
        process.wait()
    assert ran.returncode == 0, ran.stderr
    told = texts(path)
    whole = "".join(told.values()) + gzip.decompress(path.read_bytes()).decode("latin-1") + ran.stdout
    assert len(json.loads(told["daemon/status.json"])["open_incidents"]) == 1, "it was looked at"
    assert json.loads(told["daemon/counts.json"])["lines"] >= 1
    for kind, canary in CANARIES.items():
        assert canary not in whole, kind
    for name in ("203.0.113.77", "203.0.113.99", "ann-the-admin"):
        assert name not in whole
    assert not re.search(rf"\b{re.escape(socket.gethostname())}\b", whole)


def test_it_says_what_is_in_it_and_it_is_for_its_owner_alone(world: World, tmp_path: Path) -> None:
    ran = bugreport(world, cwd=tmp_path)
    (path,) = tmp_path.glob("logmedic-bugreport-*.tar.gz")
    assert ran.returncode == 0, ran.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    told = texts(path)
    for name in ("README.txt", "versions.json", "host.json", "doctor.json", "config.json", "rules.json", "log.json"):
        assert name in told
        assert name in ran.stdout
    assert path.name in ran.stdout
    assert "no daemon answers" in told["daemon/status.json"]
    with tarfile.open(path) as tar:
        assert {(each.uname, each.uid, each.mode) for each in tar} == {("", 0, 0o600)}


@pytest.mark.slow
def test_rules_are_there_by_id_and_hash_and_with_their_text_only_when_asked(world: World, tmp_path: Path) -> None:
    bugreport(world, "-w", str(tmp_path / "a.tar.gz"))
    ran = bugreport(world, "-w", str(tmp_path / "b.tar.gz"), "--rules", "-o", "json")
    short, long = texts(tmp_path / "a.tar.gz"), texts(tmp_path / "b.tar.gz")
    (file,) = json.loads(short["rules.json"])["files"]
    assert file["rules"] == ["smoke"]
    assert re.fullmatch("sha256:[0-9a-f]{64}", file["sha256"])
    assert "it fires" not in "".join(short.values())
    assert "it fires" in long["rules/001-smoke.yaml"]
    assert set(json.loads(ran.stdout)["parts"]) == set(long)


def test_nothing_that_is_there_is_written_over_unless_it_is_meant(world: World, tmp_path: Path) -> None:
    path = tmp_path / "mine.tar.gz"
    path.write_text("mine")
    ran = bugreport(world, "-w", str(path))
    assert (ran.returncode, path.read_text()) == (1, "mine")
    assert "--force" in ran.stderr
    assert bugreport(world, "-w", str(path), "--force").returncode == 0
    assert "versions.json" in texts(path)
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".mine")] == []


def test_a_link_that_is_there_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("other")
    link = tmp_path / "link"
    link.symlink_to(other)
    with pytest.raises(OrderRefused):
        bundle.write(link, b"x", force=False)
    bundle.write(link, b"x", force=True)
    assert (other.read_text(), link.read_bytes(), link.is_symlink()) == ("other", b"x", False)


def test_a_directory_that_takes_nothing_is_told_with_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(OrderRefused, match="-w FILE"):
        bundle.write(tmp_path / "none" / "x", b"x", force=False)


def test_a_config_that_does_not_load_is_there_by_its_mistakes(world: World, tmp_path: Path) -> None:
    world.config.write_text("nonsense: 1\n" + world.config.read_text())
    path = tmp_path / "x.tar.gz"
    assert bugreport(world, "-w", str(path)).returncode == 0
    told = texts(path)
    assert "unknown key `nonsense`" in json.loads(told["config.json"])["mistakes"][0]
    for canary in CANARIES.values():
        assert canary not in "".join(told.values())


def test_its_own_log_comes_from_the_journal_without_log_text(tmp_path: Path) -> None:
    message = {"level": "critical", "event": "alert_not_delivered", "title": "from a log line", "why": "HTTP 503"}
    rows: list[dict[str, Any]] = [
        {"__REALTIME_TIMESTAMP": "1", "PRIORITY": "2", "_PID": "611", "MESSAGE": json.dumps(message)},
        {"__REALTIME_TIMESTAMP": "2", "MESSAGE": "Started logmedic.service."},
        {"__REALTIME_TIMESTAMP": "3", "MESSAGE": [1, 2]},
    ]
    program = tmp_path / "journalctl"
    program.write_text("#!/bin/sh\ncat <<'END'\nno json\n" + "\n".join(map(json.dumps, rows)) + "\nEND\n")
    program.chmod(0o755)
    told = [each["message"] for each in parts.own_log(journalctl=str(program))]
    assert told == [{**message, "title": "[left out]"}, "Started logmedic.service.", "[no text]"]
    assert parts.own_log(journalctl=str(tmp_path / "none")) == []


def test_people_are_those_who_have_an_account_and_who_types(tmp_path: Path) -> None:
    found = masking.people({"SUDO_USER": "ann", "USER": "root"})
    assert "ann" in found
    assert not found & {"root", "daemon", "nobody"}
    assert os.uname().nodename in masking.host_names()
