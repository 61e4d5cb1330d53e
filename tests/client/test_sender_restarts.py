"""The daemon comes, goes and comes again: each report is taken, with the same id."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import pytest

from fakes.report_client import client_of, until
from fakes.report_daemon import Line, ReportDaemon, hanging, refusing, taken, taking


def test_reports_from_before_the_daemon_came(tmp_path: Path) -> None:
    with client_of(tmp_path / "s") as client:
        ids = [client.report(f"error {number}") for number in range(20)]
        until(lambda: client._sender.talk.away)
        with ReportDaemon(tmp_path / "s") as daemon:
            assert client.flush(10.0)
            assert [each["id"] for each in daemon.reports] == ids
            assert client.stats().taken == 20


def test_a_new_daemon_is_told_what_the_old_one_had_not_taken(tmp_path: Path) -> None:
    def every_second(line: Line) -> list[Line]:
        return [taken(line)] if int(line["message"]) % 2 else []

    with client_of(tmp_path / "s") as client:
        with ReportDaemon(tmp_path / "s", every_second) as old:
            ids = [client.report(str(number)) for number in range(10)]
            old.wait_for_reports(10)
            until(lambda: client.stats().taken == 5)
        with ReportDaemon(tmp_path / "s") as new:
            assert client.flush(10.0)
            assert [each["id"] for each in new.reports] == ids[::2]


def test_a_daemon_that_hangs_up_again_and_again(tmp_path: Path) -> None:
    with ReportDaemon(tmp_path / "s", hanging) as daemon, client_of(tmp_path / "s") as client:
        report_id = client.report("x")
        for count in (1, 2, 3):
            daemon.wait_for_reports(count)
            daemon.hang_up()
        daemon.script = taking
        daemon.wait_for_reports(4)
        assert client.flush(10.0)
        assert {each["id"] for each in daemon.reports} == {report_id}


@pytest.mark.slow
def test_what_no_daemon_ever_takes_is_given_up(tmp_path: Path) -> None:
    with ReportDaemon(tmp_path / "s") as daemon, client_of(tmp_path / "s") as client:

        def poisoned(line: Line) -> list[Line]:
            if line["message"] == "poison":
                daemon.hang_up()
                return []
            return [taken(line)]

        daemon.script = poisoned
        client.report("poison")
        until(lambda: client.stats().dropped == 1, 60.0)
        client.report("good")
        assert client.flush(10.0)
        assert Counter(each["message"] for each in daemon.reports) == {"poison": 10, "good": 1}


@pytest.mark.parametrize("reason", ["rate", "busy"])
def test_what_is_refused_for_now_is_sent_again(tmp_path: Path, reason: str) -> None:
    script = refusing(reason, times=3, retry_after=0.05)
    with ReportDaemon(tmp_path / "s", script) as daemon, client_of(tmp_path / "s") as client:
        ids = {client.report(str(number)) for number in range(5)}
        assert client.flush(10.0)
        assert {each["id"] for each in daemon.reports} == ids
        assert client.stats().dropped == 0


@pytest.mark.parametrize("reason", ["form", "size", "another"])
def test_what_is_refused_for_good_is_not_sent_again(tmp_path: Path, reason: str) -> None:
    with ReportDaemon(tmp_path / "s", refusing(reason)) as daemon, client_of(tmp_path / "s") as client:
        client.report("x")
        until(lambda: client.stats().refused == 1)
        assert client.flush(10.0)
        assert len(daemon.reports) == 1


def test_many_threads_report_at_once(tmp_path: Path) -> None:
    with ReportDaemon(tmp_path / "s") as daemon, client_of(tmp_path / "s", buffer_bytes=16 * 1024 * 1024) as client:
        begin = threading.Barrier(16)

        def work(number: int) -> None:
            begin.wait(10.0)
            for each in range(50):
                client.report(f"{number}-{each}")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert client.flush(20.0)
        reports = daemon.reports
        assert len({each["id"] for each in reports}) == 800
        assert {each["message"] for each in reports} == {f"{a}-{b}" for a in range(16) for b in range(50)}
        for number in range(16):
            mine = [each["message"] for each in reports if each["message"].startswith(f"{number}-")]
            assert mine == [f"{number}-{each}" for each in range(50)]
