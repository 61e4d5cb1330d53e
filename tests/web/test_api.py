"""The API on its socket: what it answers, whom it lets act, and what it says to bad requests."""

from __future__ import annotations

import json
import os
import pwd
import socket
import stat
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from contracts.test_store_contract import EVERYTHING
from fakes.served import serving
from logmedic.adapters.web.server import bind
from logmedic.model.errors import PermanentError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "logmedic.sock"


def ask(path: Path, method: str, target: str, body: str | None = None) -> tuple[int, Any]:
    connection = HTTPConnection("logmedic")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(10)
    connection.sock.connect(str(path))
    connection.request(method, target, body)
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


@pytest.mark.parametrize(
    "name", ["status", "sources", "incidents", "issues", "learnings", "breakers", "alerts", "stats", "trends", "counts"]
)
def test_everything_can_be_asked(path: Path, name: str) -> None:
    with serving(path, EVERYTHING):
        status, answer = ask(path, "GET", f"/v1/{name}")
    assert status == 200
    assert answer


def test_an_incident_comes_with_its_story(path: Path) -> None:
    with serving(path, EVERYTHING):
        status, answer = ask(path, "GET", "/v1/incidents/3-i1")
    assert status == 200
    assert {"events", "attempts", "alerts", "issue"} <= set(answer)


def test_ten_thousand_sources_are_answered_whole_and_a_status_tells_of_those_in_trouble(path: Path) -> None:
    with serving(path) as control:
        control.origins = 10_000
        _, rows = ask(path, "GET", "/v1/sources")
        _, none = ask(path, "GET", "/v1/sources?source=nobody")
        _, status = ask(path, "GET", "/v1/status")
    assert len({row["origin"] for row in rows}) == 10_000
    assert none == []
    assert [row["problem"] for row in status["sources"]] == ["\x1b[31mgone"]
    assert status["sources_total"] == 10_000


def test_no_address_of_a_receiver_is_ever_answered(path: Path) -> None:
    with serving(path, EVERYTHING):
        for name in ("alerts", "status", "incidents/3-i1"):
            assert "url" not in json.dumps(ask(path, "GET", f"/v1/{name}")[1])


@pytest.mark.parametrize(
    ("target", "status", "says"),
    [
        ("/v1/incidents/nowhere", 404, "no incident nowhere"),
        ("/v1/nothing", 404, "not found"),
        ("/v1/incidents?limit=0", 400, "`limit`"),
        ("/v1/incidents?limit=99999999999999999999", 400, "`limit`"),
        ("/v1/incidents?limit=%C2%B2", 400, "`limit`"),
        ("/v1/incidents?all=yes", 400, "`all`"),
        ("/v1/stats?since=yesterday", 400, "`since`"),
        ("/v1/stats?since=99999999d", 400, "`since`"),
        ("/v1/trends?since=2100-01-01", 400, "`since`"),
        ("/v1/trends?since=9999d", 400, "`since`"),
    ],
)
def test_bad_requests_are_told_what_is_wrong(path: Path, target: str, status: int, says: str) -> None:
    with serving(path):
        code, answer = ask(path, "GET", target)
    assert code == status
    assert says in answer["error"]


@pytest.mark.parametrize("since", ["24h", "2026-11-24T03:00:00Z", "2026-11-24T03:00:00", "7d"])
def test_a_period_is_a_duration_or_a_time(path: Path, since: str) -> None:
    with serving(path, EVERYTHING):
        assert ask(path, "GET", f"/v1/stats?since={since}")[0] == 200


def test_what_may_work_later_is_503(path: Path) -> None:
    with serving(path) as control:
        control.busy = True
        assert ask(path, "GET", "/v1/counts") == (503, {"error": "the store is busy", "hint": "try again"})


def test_who_acts_is_told_by_the_kernel_and_not_by_the_request(path: Path) -> None:
    with serving(path, EVERYTHING) as control:
        status, told = ask(path, "POST", "/v1/incidents/3-i1/approve", json.dumps({"by": "somebody else"}))
        assert (status, told["error"]) == (400, "unknown key `by`")
        assert ask(path, "POST", "/v1/incidents/3-i1/approve")[0] == 200
        assert ask(path, "POST", "/v1/incidents/3-i1/reject")[0] == 200
    me = pwd.getpwuid(os.geteuid()).pw_name
    assert control.did == [("approve", "0193-i1", me), ("reject", "0193-i1", me)]


def test_a_user_who_may_connect_may_look_and_not_act(path: Path) -> None:
    if os.geteuid() != 0:  # only root can become somebody else
        return
    program = """
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
acts = [f"POST /v1/issues/x/{act}" for act in ("mute", "unmute", "resolve", "merge")]
acts += [f"POST /v1/{act}" for act in ("pause", "resume", "breakers/reset", "trust/x", "rules/x/rehearse")]
acts += [f"POST /v1/{act}" for act in ("silences", "silences/x/end", "incidents/x/ack", "alerts/resend", "alerts/test")]
for line in ("GET /v1/counts", "POST /v1/query", "POST /v1/alerts/preview", "POST /v1/reload", *acts):
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(sys.argv[1])
        heads = ("Host: logmedic", "Content-Length: 0", "Connection: close", "", "")
        wire.sendall("\\r\\n".join((f"{line} HTTP/1.1", *heads)).encode())
        print(wire.recv(65536).split()[1].decode())
"""
    with serving(path) as control:
        path.chmod(0o666)
        for parent in path.parents:
            if parent.stat().st_uid == 0:
                parent.chmod(parent.stat().st_mode | 0o001)
        ran = subprocess.run([sys.executable, "-I", "-c", program, path], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["200", "400", "400", *["403"] * 15]
    assert control.did == []


def test_the_socket_is_for_its_owner_and_its_group(path: Path) -> None:
    before = os.umask(0)
    try:
        with serving(path):
            assert stat.S_IMODE(path.stat().st_mode) == 0o660
    finally:
        os.umask(before)


def test_the_socket_is_gone_afterwards(path: Path) -> None:
    with serving(path):
        pass
    assert not path.exists()


def test_one_that_a_killed_daemon_left_behind_is_replaced(path: Path) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with serving(path):
        assert ask(path, "GET", "/v1/counts")[0] == 200


def test_a_living_daemons_socket_is_left_alone(path: Path) -> None:
    with serving(path), pytest.raises(PermanentError, match="another process answers"):
        bind(path, "no-such-group")


def test_what_is_no_socket_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("mine")
    with pytest.raises(PermanentError, match="no socket"):
        bind(path, "no-such-group")
    assert path.read_text() == "mine"


@pytest.mark.parametrize("body", ["[]", "{", '"x"', "\x00"])
def test_a_body_that_is_no_object_is_refused(path: Path, body: str) -> None:
    with serving(path) as control:
        status, answer = ask(path, "POST", "/v1/alerts/test", body)
    assert status == 400
    assert "no JSON object" in answer["error"]
    assert control.did == []


def test_a_body_without_end_is_refused(path: Path) -> None:
    with serving(path):
        assert ask(path, "POST", "/v1/alerts/test", '{"route": "' + "x" * 200_000 + '"}')[0] == 413


def test_reload_and_test_messages_can_be_asked_for(path: Path) -> None:
    with serving(path) as control:
        assert ask(path, "POST", "/v1/reload")[1]["loaded"] == 31
        control.deliveries = [{"receiver": "chat", "status": "sent", "last_error": "", "route": "oncall"}]
        assert ask(path, "POST", "/v1/alerts/test", '{"route": "oncall"}')[1][0]["status"] == "sent"
    assert control.did == [("reload",), ("test", "oncall", "")]


def test_sql_is_answered_with_its_columns_and_types(path: Path) -> None:
    with serving(path, EVERYTHING):
        body = json.dumps({"sql": "SELECT rule_id FROM v_incidents", "limit": 5})
        status, told = ask(path, "POST", "/v1/query", body)
    assert status == 200
    assert told == {"columns": ["rule_id"], "types": ["VARCHAR"], "cut": "", "rows": [["web-down"]]}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "`sql` is missing"),
        ({"sql": 7}, "no `sql`"),
        ({"sql": " "}, "no `sql`"),
        ({"sql": "SELECT 1", "limit": 0}, "`limit`"),
        ({"sql": "SELECT 1", "limit": True}, "`limit`"),
        ({"sql": "SELECT 1", "limit": 100_001}, "`limit`"),
        ({"sql": "SELECT 1", "time_s": 0}, "`time_s`"),
        ({"sql": "SELECT 1", "time_s": 61}, "`time_s`"),
        ({"sql": "SELECT 1", "time_s": "long"}, "`time_s`"),
        ({"sql": "DROP TABLE incidents"}, "one SELECT"),
        ({"sql": "SELECT * FROM v_incident"}, "v_incident"),
        ({"sql": "SELECT '" + "x" * 60_000 + "'"}, "characters"),
        ({"sql": "SELECT '" + "x" * 1_000_000 + "'"}, "the body is larger"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_sql_that_cannot_be_answered_is_told_why(path: Path, body: dict[str, Any], says: str) -> None:
    with serving(path):
        status, told = ask(path, "POST", "/v1/query", json.dumps(body))
    assert status == (413 if "larger" in says else 400)
    assert says in told["error"]


def test_a_query_is_given_up_when_nobody_waits_for_it(path: Path) -> None:
    body = b'{"sql": "SELECT 1"}'
    with serving(path) as control:
        control.answers.clear()
        with socket.socket(socket.AF_UNIX) as wire:
            wire.connect(str(path))
            wire.sendall(b"POST /v1/query HTTP/1.1\r\nHost: logmedic\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            assert control.asked.wait(10)
            assert not control.given_up.is_set()
        assert control.given_up.wait(10)
