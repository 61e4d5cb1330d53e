"""The examples that are no web applications: a worker, Celery, a script for cron."""

from __future__ import annotations

import json

import pytest

from fakes.example_run import scene

JOBS = "".join(json.dumps({"id": f"job-{n}", "article": str(n)}) + "\n" for n in (1, 2))


def test_a_worker_packs_the_job_after_the_fix() -> None:
    with scene("pack") as played:
        assert played.run("worker.py", given=JOBS) == 0, played.log
        reports = played.daemon.wait_for_reports(1)

        assert [(each["component"], each["action"], each["request_id"]) for each in reports] == [
            ("packer", "pack", "job-1")
        ]
        assert len(played.lines("[job-1] packed one of 12")) == 1
        assert len(played.lines("[job-2] packed one of 12")) == 1


def test_a_worker_puts_aside_what_nobody_mends() -> None:
    with scene("nothing") as played:
        assert played.run("worker.py", given=JOBS) == 1, played.log
        reports = played.daemon.wait_for_reports(2)

        assert [each["request_id"] for each in reports] == ["job-1", "job-2"]
        assert len(played.lines("ERROR [job-2] job job-2 is put aside")) == 1


@pytest.mark.slow
def test_a_task_of_celery_runs_once_more_after_the_fix() -> None:
    with scene("pack") as played:
        assert played.run("celery_app.py", "7") == 0, played.log
        reports = played.daemon.wait_for_reports(1)

        assert [(each["component"], each["action"], each["request_id"]) for each in reports] == [
            ("packer", "pack", "order-17")
        ]
        assert len(played.lines("[order-17] packed one of 12")) == 1
        assert len(played.lines("packed: 12")) == 1


def test_a_script_goes_on_after_the_fix() -> None:
    with scene("count") as played:
        assert played.run("script.py", "7", "8") == 0, played.log
        (report,) = played.daemon.wait_for_reports(1)

        assert (report["component"], report["action"], report["attempts"]) == ("stocktaking", "count", 2)
        assert len(played.lines(f"[{report['request_id']}]", "pieces")) == 2


def test_a_script_that_fails_is_reported_once_before_it_ends() -> None:
    with scene("nothing") as played:
        assert played.run("script.py", "7") == 1
        (report,) = played.daemon.wait_for_reports(1)

        assert report["error"] == "ConnectionRefusedError"
        assert len(played.lines("ConnectionRefusedError")) > 0


def test_a_script_that_meets_what_it_does_not_expect_is_reported_before_it_ends() -> None:
    with scene("nothing") as played:
        assert played.run("-c", "import script; script.install_hooks(component='stocktaking'); script.sys.argv[7]") == 1
        (report,) = played.daemon.wait_for_reports(1)

        assert (report["component"], report["action"], report["error"]) == ("stocktaking", "uncaught", "IndexError")
