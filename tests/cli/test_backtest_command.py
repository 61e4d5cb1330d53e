"""`logmedic rules backtest`, as it is typed."""

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

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

START = datetime(2026, 9, 30, 23, 0, tzinfo=UTC)
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstd.compress,
}
RULES = r"""
version: 1
rules:
  - id: door-forced
    title: "door {door} is forced"
    severity: high
    source: doors
    match:
      program: doord
      pattern: '^door (?P<door>\w+) forced'
      captures: { door: word }
    when: { threshold: { count: 3, within: 60s, by: [door] }, clear: { quiet: 2m } }
    fix:
      mode: auto
      steps:
        - name: close it
          run: [/usr/bin/true, "{door}"]
      verify: { quiet: 30s }
      limits: { cooldown: 1h }
    tests:
      - name: three times
        lines: [{ text: "Oct  1 00:00:00 h doord: door north forced", repeat: 3 }]
        expect: { fires: 1 }
      - name: twice
        lines: [{ text: "Oct  1 00:00:00 h doord: door north forced", repeat: 2 }]
        expect: { fires: 0 }
  - id: window-open
    title: window is open
    match: { pattern: 'window stands open' }
    tests:
      - name: open
        lines: ["window stands open"]
        expect: { fires: 1 }
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "house.yaml").write_text(RULES)
    (tmp_path / "logmedic.yaml").write_text(
        f'rules: {{ paths: ["{tmp_path}/rules"] }}\n'
        f'sources: {{ doors: {{ files: ["{tmp_path}/log/doors*.log"] }} }}\n'
        f'storage: {{ path: "{tmp_path}/state/logmedic.duckdb" }}\n'
        f'web: {{ socket: "{tmp_path}/state/logmedic.sock" }}\n'
    )
    (tmp_path / "log").mkdir()
    return tmp_path


def logmedic(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return forked.run(
        [sys.executable, "-m", "logmedic", "-c", str(home / "logmedic.yaml"), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=home,
        env={"PATH": os.environ["PATH"], "NO_COLOR": "1", "HOME": str(home), "LANG": "C.UTF-8", "TZ": "UTC"},
    )


def told(home: Path, *arguments: object, code: int = 0) -> dict[str, Any]:
    ran = logmedic(home, "rules", "backtest", "-o", "json", "--zone", "UTC", *arguments)
    assert ran.returncode == code, ran.stderr
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


def rule(answer: dict[str, Any], rule_id: str = "door-forced") -> dict[str, Any]:
    return next(each for each in answer["rules"] if each["rule"] == rule_id)


def lines(hours: float, count: int = 3, *, every: float = 10, text: str = "door north forced") -> list[str]:
    """Classic syslog lines, so long after START."""
    times = (START + timedelta(hours=hours, seconds=every * n) for n in range(count))
    return [f"{at:%b %e %H:%M:%S} house doord[7]: {text}" for at in times]


def ordinary(hours: float) -> list[str]:
    return lines(hours, 60, every=60, text="door north opened and closed")


def write(path: Path, content: Sequence[str], at: datetime) -> Path:
    path.write_bytes(PACKERS.get(path.suffix, bytes)("".join(f"{line}\n" for line in content).encode()))
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def rotated(home: Path) -> list[Path]:
    """Nine days and an hour, a day a file, in every form; the doors are forced twice on the second day, across the
    boundary between the fourth and the fifth, and on the last."""
    names = ("doors.log.9.zst", "doors.log.8.xz", "doors.log.7.bz2", "doors.log.6.gz", "doors.log.5.gz")
    names = (*names, "doors.log.4.zst", "doors.log.3.gz", "doors.log.2.gz", "doors.log.1", "doors.log")
    forced = {1: [26, 30], 8: [8 * 24 + 2]}
    paths = []
    for day, name in enumerate(names):
        content = ordinary(24 * day)
        for hour in forced.get(day, []):
            content += lines(hour)
        if day == 3:
            content += lines(4 * 24 - 20 / 3600, 2)
        if day == 4:
            content = lines(4 * 24, 1) + content
        paths.append(write(home / "log" / name, content, START + timedelta(days=day + 1)))
    return paths


def test_a_month_in_every_form_of_packing_is_put_in_order_and_replayed(home: Path) -> None:
    answer = told(home, *rotated(home)[::-1])
    told_of = rule(answer)
    assert told_of["fires"] == 4
    assert [each["opened_at"] for each in told_of["incidents"]] == [
        "2026-10-02T01:00:20Z",
        "2026-10-02T05:00:20Z",
        "2026-10-04T23:00:00Z",
        "2026-10-09T01:00:20Z",
    ]
    assert (answer["days"], answer["lines"]) == (10, 612)
    assert told_of["worst_day"] == {"day": "2026-10-02", "fires": 2}
    assert told_of["fires_a_day"] == 0.4
    assert told_of["ended"] == {"quiet": 4}


def test_without_files_those_of_the_sources_are_read_with_their_rotations(home: Path) -> None:
    rotated(home)
    answer = told(home, "door-forced")
    assert len(answer["files"]) == 10
    assert {each["source"] for each in answer["files"]} == {"doors"}
    assert [each["rule"] for each in answer["rules"]] == ["door-forced"]
    assert rule(answer)["fires"] == 4


def test_the_ceiling_decides_whether_the_fix_would_have_run(home: Path) -> None:
    rotated(home)
    observed, armed = rule(told(home)), rule(told(home, "--mode", "auto"))
    assert (observed["fixes"], observed["held"]) == (0, {"observe": 4})
    assert (armed["fixes"], armed["steps"], armed["ended"]) == (4, {"close it": 4}, {"fixed": 4})


def test_the_incidents_are_those_that_the_daemon_opens_on_the_same_lines(home: Path) -> None:
    paths = rotated(home)
    whole = home / "whole.log"
    unpacked = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress, ".zst": zstd.decompress}
    whole.write_bytes(b"".join(unpacked.get(each.suffix, bytes)(each.read_bytes()) for each in paths))
    ran = logmedic(home, "run", "--once", whole, "-o", "json")
    assert ran.returncode == 0, ran.stderr
    known = json.loads(logmedic(home, "incidents", "--all", "-o", "json").stdout)
    replayed = rule(told(home, *paths))["incidents"]
    assert sorted((each["title"], each["occurrences"]) for each in known) == sorted(
        (each["title"], each["matches"]) for each in replayed
    )
    assert json.loads(ran.stdout)["counts"]["matched"] == rule(told(home, *paths))["matches"]


def test_only_what_was_written_in_the_time_asked_for_counts(home: Path) -> None:
    paths = rotated(home)
    answer = told(home, *paths, "--since", "2026-10-02T03:00:00Z", "--until", "2026-10-08")
    assert rule(answer)["fires"] == 2
    assert answer["passed_by"] == [str(paths[0])]
    assert (answer["since"], answer["until"]) == ("2026-10-02T03:00:00Z", "2026-10-08T00:00:00Z")


def test_last_years_logs_are_of_last_year(home: Path) -> None:
    path = write(home / "doors.log.1", lines(0), datetime(2024, 10, 1, tzinfo=UTC))
    assert rule(told(home, path))["first"] == "2024-09-30T23:00:20Z"


@pytest.mark.parametrize(("most", "code"), [(3, 1), (4, 0)])
def test_a_rule_that_fires_more_often_than_it_may_fails(home: Path, most: int, code: int) -> None:
    ran = logmedic(home, "rules", "backtest", *rotated(home), "--max-fires", most)
    assert ran.returncode == code
    assert ("fired more than 3 times: door-forced" in ran.stderr) == bool(code)


def test_files_elsewhere_are_heard_by_every_rule_and_a_source_may_be_named(home: Path) -> None:
    path = write(home / "copy.txt", lines(0), START + timedelta(hours=1))
    assert rule(told(home, path))["fires"] == 1
    assert rule(told(home, path, "--source", "doors"))["fires"] == 1
    answer = told(home, path, "--source", "windows")
    assert (rule(answer)["fires"], answer["unheard"]) == (0, ["door-forced"])


def test_a_rule_hears_no_file_of_another_source(home: Path) -> None:
    with (home / "logmedic.yaml").open("a") as config:
        config.write("# more\n")
    text = (home / "logmedic.yaml").read_text()
    more = f'doors: {{ files: ["{home}/log/doors*.log"] }}, shop: {{ files: ["{home}/log/shop.log"] }}'
    (home / "logmedic.yaml").write_text(text.replace(f'doors: {{ files: ["{home}/log/doors*.log"] }}', more))
    path = write(home / "log" / "shop.log", lines(0), START + timedelta(hours=1))
    ran = logmedic(home, "rules", "backtest", "door-forced", path)
    assert "nothing matched" in ran.stdout
    assert "listen to other sources (doors): door-forced" in ran.stdout


def test_no_log_has_reports_of_applications(home: Path) -> None:
    rules = home / "shop.yaml"
    rules.write_text("version: 1\nrules: [{ id: shop, title: t, match: { report: { component: checkout } } }]\n")
    path = write(home / "copy.txt", ["ERROR checkout: boom"], START)
    ran = logmedic(home, "rules", "backtest", rules, path)
    assert ran.returncode == 0
    assert "listen to other sources (reports): shop" in ran.stdout


def test_a_rule_file_is_tried_in_the_place_of_the_configured_ones(home: Path) -> None:
    path = write(home / "copy.txt", ["window stands open"], START)
    draft = home / "draft.yaml"
    draft.write_text(
        RULES.replace("window-open", "draft").replace("title: window is open", "enabled: false\n    title: x")
    )
    answer = told(home, draft, path)
    assert [each["rule"] for each in answer["rules"]] == ["door-forced", "draft"]
    assert rule(answer, "draft")["fires"] == 1


def test_an_id_narrows_what_is_tried(home: Path) -> None:
    path = write(home / "copy.txt", lines(0), START)
    assert [each["rule"] for each in told(home, "window-open", path)["rules"]] == ["window-open"]
    assert [each["rule"] for each in told(home, home / "rules", "--rule", "door-forced", path)["rules"]] == [
        "door-forced"
    ]


def test_what_is_neither_a_file_nor_a_rule_is_told_with_what_was_meant(home: Path) -> None:
    ran = logmedic(home, "rules", "backtest", "door-force")
    assert ran.returncode == 5
    assert "`door-force` is neither a file nor the id of a rule" in ran.stderr
    assert "did you mean `door-forced`?" in ran.stderr


def test_a_rule_with_a_mistake_is_shown_and_the_sound_ones_are_tried(home: Path) -> None:
    path = write(home / "copy.txt", lines(0), START + timedelta(hours=1))
    draft = home / "draft.yaml"
    draft.write_text(RULES.replace("title: window is open", "titel: window is open"))
    ran = logmedic(home, "rules", "backtest", draft, path)
    assert ran.returncode == 3
    assert "did you mean `title`?" in ran.stderr
    assert "door-forced" in ran.stdout


def test_a_rule_whose_own_test_fails_can_be_tried_all_the_same(home: Path) -> None:
    path = write(home / "copy.txt", lines(0), START + timedelta(hours=1))
    draft = home / "draft.yaml"
    draft.write_text(RULES.replace('lines: ["window stands open"]', 'lines: ["window is shut"]'))
    assert rule(told(home, draft, path))["fires"] == 1


def test_bad_files_are_told_and_the_others_read(home: Path) -> None:
    good = write(home / "copy.txt", lines(0), START + timedelta(hours=1))
    packed = gzip.compress("".join(f"{line}\n" for line in ordinary(0) * 50).encode())
    (home / "cut.gz").write_bytes(packed[: len(packed) // 2])
    (home / "damaged.xz").write_bytes(b"not at all")
    given = (home / "cut.gz", home / "damaged.xz", home / "none.log", good)
    ran = logmedic(home, "rules", "backtest", *given)
    assert ran.returncode == 1
    assert f"{home}/cut.gz: is cut off: its end is missing" in ran.stderr
    assert f"{home}/damaged.xz: is damaged" in ran.stderr
    assert f"{home}/none.log: no such file or directory" in ran.stderr
    assert "fired    1 time, 2026-09-30 23:00:20" in ran.stdout


@pytest.mark.parametrize("given", [["./none.log"], []], ids=["a file that is not there", "no file of any source"])
def test_nothing_to_read_is_an_error(home: Path, given: list[str]) -> None:
    ran = logmedic(home, "rules", "backtest", *given)
    assert ran.returncode == 5
    assert "read" in ran.stderr
    assert ran.stdout == ""


def test_nothing_matched_is_said_with_what_to_do_next(home: Path) -> None:
    ran = logmedic(home, "rules", "backtest", write(home / "copy.txt", ordinary(0), START + timedelta(hours=1)))
    assert ran.returncode == 0
    assert ran.stdout.startswith("nothing matched\nhint: `logmedic rules explain`")
    assert "1 file, 60 lines" in ran.stdout


@pytest.mark.parametrize(
    ("option", "value", "wanted"), [("--since", "soon", "is no time"), ("--zone", "Atlantis", "is no time zone")]
)
def test_a_bad_option_is_wrong_usage(home: Path, option: str, value: str, wanted: str) -> None:
    ran = logmedic(home, "rules", "backtest", option, value, write(home / "a.log", ["x"], START))
    assert ran.returncode == 2
    assert wanted in ran.stderr


def test_the_answer_for_people(home: Path) -> None:
    ran = logmedic(home, "rules", "backtest", *rotated(home), "--mode", "auto", "-v", "--zone", "Europe/Vienna")
    assert ran.returncode == 0, ran.stderr
    text = ran.stdout
    assert "door-forced  high  door {door} is forced" in text
    assert "matches  12" in text
    assert "fired    4 times, 2026-10-02 01:00:20 to 2026-10-09 01:00:20" in text
    assert "a day    0.4 on average, 2 on the worst one (2026-10-02)" in text
    assert "··█·▄····▄  2026-09-30 to 2026-10-09" in text
    assert "fix      would have run 4 times (close it 4) (mode auto)" in text
    assert "2026-10-04 23:00:00  door north is forced: 3 matches, ran close it 1, fixed after 30 s" in text
    assert "without a match: window-open" in text
    assert "10 files, 612 lines" in text
    assert "10 days in Europe/Vienna; mode auto" in text


def test_lines_of_json_are_one_a_rule(home: Path) -> None:
    ran = logmedic(home, "rules", "backtest", "-o", "jsonl", *rotated(home))
    assert [json.loads(line)["rule"] for line in ran.stdout.splitlines()] == ["door-forced", "window-open"]


def test_a_terminal_gets_a_bar(home: Path) -> None:
    paths = rotated(home)
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "logmedic", "-c", str(home / "logmedic.yaml"), "rules", "backtest", *map(str, paths)],
        stdout=subprocess.PIPE,
        stderr=follower,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm", "LANG": "C.UTF-8"},
    ) as running:
        os.close(follower)
        shown = b""
        try:
            while piece := os.read(leader, 4096):
                shown += piece
        except OSError:  # the other end is closed
            pass
    os.close(leader)
    assert running.returncode == 0
    assert b"reading" in shown
    assert "━".encode() in shown
