"""`logmedic learn`, as it is typed."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import forked
from cli.surroundings import CACHE
from logmedic.adapters.store.reading import open_readonly

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

START = datetime(2026, 10, 1, tzinfo=UTC)
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstd.compress,
}
RULES = r"""
version: 1
rules:
  - id: disk-full
    title: "disk {disk} is full"
    match:
      pattern: 'disk (?P<disk>\w+) is full'
      captures: { disk: word }
    tests:
      - name: full
        lines: ["ERROR store: disk sda is full"]
        expect: { fires: 1 }
"""
USERS = ("anna", "bert", "carl", "dora", "emil", "fred", "gina", "hugo")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "house.yaml").write_text(RULES)
    (tmp_path / "logmedic.yaml").write_text(
        f'rules: {{ paths: ["{tmp_path}/rules"] }}\n'
        f'sources: {{ shop: {{ files: ["{tmp_path}/log/shop.log"], from_start: true }} }}\n'
        f'storage: {{ path: "{tmp_path}/state/logmedic.duckdb" }}\n'
        f'web: {{ socket: "{tmp_path}/state/logmedic.sock" }}\n'
    )
    (tmp_path / "log").mkdir()
    return tmp_path


def logmedic(home: Path, *arguments: object, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    environment = {"PATH": os.environ["PATH"], "NO_COLOR": "1", "HOME": str(home), "LANG": "C.UTF-8", "TZ": "UTC"}
    return forked.run(
        [sys.executable, "-m", "logmedic", "-c", str(home / "logmedic.yaml"), *map(str, arguments)],
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
        cwd=home,
        env={**environment, "XDG_CACHE_HOME": CACHE},
    )


def told(home: Path, *arguments: object, code: int = 0, given: bytes = b"") -> dict[str, Any]:
    ran = logmedic(home, "learn", "-o", "json", "--zone", "UTC", *arguments, given=given)
    assert ran.returncode == code, ran.stderr.decode()
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


def shown(home: Path, *arguments: object, code: int = 0, given: bytes = b"") -> tuple[str, str]:
    ran = logmedic(home, "learn", "--zone", "UTC", *arguments, given=given)
    assert ran.returncode == code, ran.stderr.decode()
    return ran.stdout.decode(), ran.stderr.decode()


def counts(answer: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {(each["component"], each["template"]): each["count"] for each in answer["errors"]}


def day(n: int) -> list[str]:
    """The lines of a day: every hour one is served, each third day's bookings fail, the store fills up."""
    lines = [f"{START + timedelta(days=n, hours=h):%Y-%m-%d %H:%M:%S} INFO web: served {h}" for h in range(24)]
    for h, user in enumerate(USERS if n % 3 == 0 else ()):
        at = START + timedelta(days=n, hours=h, minutes=7)
        lines.append(f"{at:%Y-%m-%d %H:%M:%S} ERROR ledger: cannot book entry {n * 100 + h} for {user}")
    at = START + timedelta(days=n, hours=12)
    lines += [f"{at:%Y-%m-%d %H:%M:%S} ERROR web: upstream 10.0.{n}.{k} refused after {k + 3} tries" for k in range(5)]
    lines.append(f"{at:%Y-%m-%d %H:%M:%S} ERROR store: disk sda is full")
    return sorted(lines)


def write(path: Path, content: Sequence[str], at: datetime | None = None) -> Path:
    path.write_bytes(PACKERS.get(path.suffix, bytes)("".join(f"{line}\n" for line in content).encode()))
    if at is not None:
        os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def rotated(home: Path) -> list[Path]:
    """Six days, a day a file, in every form."""
    names = ("shop.log.5.zst", "shop.log.4.xz", "shop.log.3.bz2", "shop.log.2.gz", "shop.log.1", "shop.log")
    return [write(home / "log" / name, day(n), START + timedelta(days=n + 1)) for n, name in enumerate(names)]


def test_rotated_logs_in_every_form_of_packing_are_counted_together(home: Path) -> None:
    rotated(home)
    answer = told(home, home / "log")
    assert sorted(each["count"] for each in answer["errors"]) == [16, 30]
    web, ledger = answer["errors"]
    assert (web["component"], web["count"], len(web["files"]), web["sources"]) == ("web", 30, 6, ["shop"])
    assert web["spread"] == {"unit": "day", "seen": 6, "of": 6}
    assert ledger["spread"]["seen"] == 2
    assert (ledger["first"], ledger["last"]) == ("2026-10-01T00:07:00Z", "2026-10-04T07:07:00Z")
    assert ledger["counts"] == [8, 0, 0, 8, 0, 0]
    assert "for <*>" in ledger["template"]
    assert answer["unknown"] == 46
    assert answer["lines"] == sum(len(day(n)) for n in range(6))


def test_what_a_rule_knows_is_taken_out(home: Path) -> None:
    rotated(home)
    assert all("disk" not in each["template"] for each in told(home, home / "log")["errors"])
    (home / "rules" / "house.yaml").write_text("version: 1\nrules: []\n")
    assert any("disk" in each["template"] for each in told(home, home / "log")["errors"])


def test_without_a_path_the_sources_are_read_with_their_rotations(home: Path) -> None:
    rotated(home)
    write(home / "log" / "other.log", ["2026-10-01 00:00:00 ERROR other: broken"])
    answer = told(home)
    assert len(answer["files"]) == 6
    assert answer["unknown"] == 46


def test_the_counts_are_those_of_the_daemon_on_the_same_lines(home: Path) -> None:
    content = [line for n in range(6) for line in day(n)]
    content += [f"2026-10-07 00:00:{n:02d} CRITICAL spool: queue {n} of {user} is lost" for n, user in enumerate(USERS)]
    content += ["2026-10-08 00:00:00 ERROR jobs: job failed", "Traceback (most recent call last):"]
    content += ['  File "jobs.py", line 7, in run', "ValueError: no such tenant"]
    log = write(home / "whole.log", content)
    with (home / "logmedic.yaml").open("a") as config:
        config.write("learning: { promote_after: 1000 }\n")  # what is promoted is no template alone any more
    ran = logmedic(home, "run", "--once", log, "-o", "json")
    assert ran.returncode == 0, ran.stderr.decode()
    with open_readonly(home / "state" / "logmedic.duckdb") as store:
        stored = [row for row in store.templates(limit=1000) if not row["merged_into"]]
    answer = told(home, log, "--top", 1000)
    assert counts(answer) == {(row["component"], row["template"]): row["occurrences"] for row in stored}
    assert {each["fingerprint"] for each in answer["errors"]} == {row["fingerprint"] for row in stored}
    assert answer["unknown"] == json.loads(ran.stdout)["counts"]["unknown"]


def test_standard_input_is_read_to_its_end(home: Path) -> None:
    answer = told(home, "-", given="\n".join(day(0)).encode())
    assert sorted(each["count"] for each in answer["errors"]) == [5, 8]
    assert answer["files"][0]["path"] == "standard input"
    assert answer["files"][0]["source"] == "stdin"


def test_only_what_was_written_in_the_time_asked_for_counts(home: Path) -> None:
    rotated(home)
    answer = told(home, home / "log", "--since", "2026-10-03T06:00:00Z", "--until", "2026-10-04T04:00:00Z")
    assert answer["unknown"] == 5 + 4
    assert sorted(answer["passed_by"]) == [str(home / "log" / "shop.log.4.xz"), str(home / "log" / "shop.log.5.zst")]


def test_top_min_and_component_choose_what_is_told(home: Path) -> None:
    rotated(home)
    assert [each["component"] for each in told(home, home / "log", "--top", 1)["errors"]] == ["web"]
    assert [each["component"] for each in told(home, home / "log", "--min", 20)["errors"]] == ["web"]
    answer = told(home, home / "log", "--component", "ledger")
    assert [each["component"] for each in answer["errors"]] == ["ledger"]
    assert (answer["kinds"], answer["picked"]) == (2, 1)


def test_secrets_are_masked_wherever_they_are_told(home: Path) -> None:
    line = "2026-10-01 00:00:00 ERROR login: no entry with password=hunter2secret for admin"
    path = write(home / "login.log", [line] * 3)
    drafts = home / "drafts"
    ran = logmedic(home, "learn", path, "-o", "json", "--drafts", drafts)
    assert b"[masked]" in ran.stdout
    texts = [ran.stdout.decode(), *(each.read_text() for each in drafts.iterdir())]
    assert len(texts) == 2
    assert all("hunter2secret" not in each for each in texts)


def test_a_directory_gives_its_text_files_and_says_what_it_leaves_out(home: Path) -> None:
    write(home / "log" / "shop.log", day(0))
    (home / "log" / "wtmp").write_bytes(b"\x07\0\0\0" * 100)
    (home / "log" / "empty.log").write_bytes(b"")
    (home / "log" / "deep").mkdir()
    write(home / "log" / "deep" / "app.log.gz", day(3))
    (home / "log" / "link.log").symlink_to(home / "log" / "shop.log")
    os.mkfifo(home / "log" / "pipe")
    answer = told(home, home / "log")
    assert [each["path"] for each in answer["left_out"]] == [str(home / "log" / "wtmp")]
    assert {Path(each["path"]).name for each in answer["files"]} == {"shop.log", "empty.log", "app.log.gz"}
    assert f"left out: {home}/log/wtmp is no text" in shown(home, home / "log")[0]


def test_bad_files_are_told_and_the_others_read(home: Path) -> None:
    good = write(home / "good.log", day(0))
    packed = gzip.compress("".join(f"{line}\n" for n in range(30) for line in day(n)).encode())
    (home / "cut.gz").write_bytes(packed[: len(packed) // 2])
    (home / "binary.log").write_bytes(b"\0\1\2\3")
    (home / "loop.log").symlink_to(home / "loop.log")
    os.mkfifo(home / "pipe")
    bad = [home / name for name in ("cut.gz", "binary.log", "none.log", "loop.log", "pipe")]
    ran = logmedic(home, "learn", *bad, good)
    complaints = ran.stderr.decode()
    assert ran.returncode == 1
    assert f"{home}/cut.gz: is cut off: its end is missing; " in complaints
    assert f"{home}/binary.log: is no text" in complaints
    assert f"{home}/none.log: no such file or directory" in complaints
    assert f"{home}/loop.log: too many levels of symbolic links" in complaints
    assert f"{home}/pipe: is a FIFO, not a regular file" in complaints
    assert b"ledger" in ran.stdout


def test_a_file_that_cannot_be_read_is_told(home: Path) -> None:
    """Root may read every file, but nobody the first byte of a process's memory."""
    good = write(home / "good.log", day(0))
    assert "/proc/self/mem: input/output error" in shown(home, good, "/proc/self/mem", code=1)[1]


@pytest.mark.parametrize("given", [["none.log"], []], ids=["a file that is not there", "no file of any source"])
def test_nothing_to_read_is_an_error(home: Path, given: list[str]) -> None:
    output, complaint = shown(home, *given, code=5)
    assert output == ""
    assert "read" in complaint


def test_no_unknown_error_is_said_so(home: Path) -> None:
    path = write(home / "calm.log", ["2026-10-01 00:00:00 INFO web: served 7"])
    output, _ = shown(home, path)
    assert output.startswith("no error that the rules do not know (1 rule)\n1 file, 1 line")


def test_the_answer_for_people(home: Path) -> None:
    rotated(home)
    text, _ = shown(home, home / "log")
    assert "1. web  30 times\n   upstream <ip> refused after <n> tries\n" in text
    assert "   2026-10-01 00:07:00 to 2026-10-04 07:07:00, in 2 of 6 days\n   █··█··\n" in text
    assert "   > 2026-10-01 00:07:00 ERROR ledger: cannot book entry 0 for anna" in text
    assert f"{home}/log/shop.log.5.zst" in text
    assert "and 3 more files" in text
    assert "46 errors of 2 kinds that no rule knows (1 rule)" in text
    assert "6 files, " in text
    assert "--drafts DIR" in text


def test_a_stack_trace_is_told_as_it_stands_up_to_six_lines(home: Path) -> None:
    trace = [
        "Traceback (most recent call last):",
        '  File "/srv/x.py", line 3, in <module>',
        "ValueError: bad value 12",
    ]
    head = "2026-10-01 00:00:00 ERROR shop: unhandled"
    page, _ = shown(home, write(home / "log" / "shop.log", [head, *trace]))
    assert "\n".join(f"   > {line}" for line in (head, *trace)) + "\n\n" in page
    deep = [head, trace[0], *trace[1:2] * 9, trace[2]]
    page, _ = shown(home, write(home / "log" / "shop.log", deep))
    assert page.count("   > ") == 7
    assert "   > ...\n\n" in page


def test_lines_of_json_are_one_an_error(home: Path) -> None:
    rotated(home)
    ran = logmedic(home, "learn", "-o", "jsonl", home / "log")
    assert [json.loads(line)["count"] for line in ran.stdout.splitlines()] == [30, 16]


def test_drafts_pass_the_strict_check_and_nothing_is_overwritten(home: Path) -> None:
    rotated(home)
    drafts = home / "drafts"
    _, said = shown(home, home / "log", "--drafts", drafts)
    assert f"2 drafts written to {drafts}" in said
    assert f"next: logmedic rules check --strict {drafts}" in said
    checked = logmedic(home, "rules", "check", "--strict", drafts)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert all("INFO web: served" in each.read_text() for each in drafts.iterdir()), "ordinary lines are near misses"
    first = min(drafts.iterdir())
    first.write_text("mine\n")
    _, said = shown(home, home / "log", "--drafts", drafts)
    assert f"{first} is there already, and stays as it is" in said
    assert first.read_text() == "mine\n"


def test_a_draft_knows_every_line_that_it_was_made_of(home: Path) -> None:
    rotated(home)
    shown(home, home / "log", "--drafts", home / "drafts")
    for draft in (home / "drafts").iterdir():
        (home / "rules" / draft.name).write_bytes(draft.read_bytes())
    assert told(home, home / "log")["unknown"] == 0


def test_nothing_is_stored(home: Path) -> None:
    rotated(home)
    told(home, home / "log")
    assert not (home / "state").exists()


def test_a_terminal_gets_a_bar(home: Path) -> None:
    rotated(home)
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "logmedic", "-c", str(home / "logmedic.yaml"), "learn", str(home / "log")],
        stdout=subprocess.PIPE,
        stderr=follower,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm", "LANG": "C.UTF-8"},
    ) as running:
        os.close(follower)
        seen = b""
        try:
            while piece := os.read(leader, 4096):
                seen += piece
        except OSError:  # the other end is closed
            pass
    os.close(leader)
    assert running.returncode == 0
    assert b"reading" in seen
    assert "━".encode() in seen


def grouped(home: Path, *arguments: object, given: bytes = b"") -> list[list[str]]:
    ran = logmedic(home, "learn", "--groups", *arguments, given=given)
    assert ran.returncode == 0, ran.stderr.decode()
    return [line.split("\t") for line in ran.stdout.decode().split("\n")[:-1]]


def test_groups_answer_a_line_for_each_line_in_order(home: Path) -> None:
    lines = ["user anna is gone", "", "took 3 ms", "user\tbert is gone", "took 17 ms", "\udcff\udcfe odd", "   "]
    lines += [f"user {name} is gone" for name in USERS]
    answer = grouped(home, "-", given="\n".join(lines).encode("utf-8", "surrogateescape"))
    assert len(answer) == len(lines)
    assert all(len(each) == 2 for each in answer)
    assert answer[2] == answer[4]
    assert len({group for group, _ in answer[7:]}) == 1
    assert answer[0][0] == answer[7][0]


@pytest.mark.parametrize(
    ("given", "lines"), [(b"", 0), (b"\n", 1), (b"a", 1), (b"a\n", 1), (b"a\n\n", 2), (b"a\rb\n", 1)]
)
def test_groups_give_as_many_lines_as_they_were_given(home: Path, given: bytes, lines: int) -> None:
    assert len(grouped(home, "-", given=given)) == lines


def test_groups_of_a_file(home: Path) -> None:
    path = write(home / "errors.gz", ["took 3 ms", "took 17 ms"])
    assert grouped(home, path)[0] == grouped(home, path)[1]


def test_groups_need_no_config(home: Path) -> None:
    (home / "logmedic.yaml").write_text("nonsense: true\n")
    assert len(grouped(home, "-", given=b"took 3 ms\n")) == 1
