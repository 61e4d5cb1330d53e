"""Hostile users of this host, hostile sites in a browser, clients that may only look: what each got, once."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from starlette.requests import Request

from cli.test_commands import logmedic
from contracts.test_store_contract import EVERYTHING
from fakes.canned_control import CannedControl
from fakes.memory_store import MemoryStore
from fakes.served import READS, Dashboard, serving, serving_dashboard
from fakes.visitor import Visitor, program
from logmedic.adapters.web import server
from logmedic.adapters.web.loopback import owner, owner_in
from logmedic.adapters.web.operators import Operators
from logmedic.adapters.web.pages.static import address
from logmedic.adapters.web.serving import Patience
from logmedic.adapters.web.sessions import MOST_ENDED, MOST_TICKETS, Sessions, Tickets
from logmedic.unixsocket.peers import Peer
from web.test_dashboard_door import csrf_of
from web.test_socket_door import as_another, ask

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
MALLORY, ALICE = "user:6666:6666", "user:1000:1000"


@pytest.fixture
def control() -> CannedControl:
    return CannedControl(MemoryStore((EVERYTHING,)))


@pytest.fixture
def dashboard(control: CannedControl) -> Iterator[Dashboard]:
    with serving_dashboard(control) as served:
        yield served


# -- another user of this host -----------------------------------------------------------------------------------------


def test_a_link_that_signs_in_is_in_no_argument_of_a_browser(tmp_path: Path, control: CannedControl) -> None:
    """Every user of the host reads the arguments of every process, and a link works for whoever is first."""
    told, page = tmp_path / "told", tmp_path / "logmedic-dashboard.html"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {told}\n')
    browser.chmod(0o755)
    told.write_text("")
    env = {"BROWSER": f"{browser} %s", "XDG_RUNTIME_DIR": str(tmp_path)}
    path = tmp_path / "logmedic.sock"
    with serving_dashboard(control, path=path):
        ran = logmedic("--socket", str(path), "dashboard", "--open", **env)
    assert ran.returncode == 0, ran.stderr
    ticket = ran.stdout.strip().partition("ticket=")[2]
    assert told.read_text().strip() == page.as_uri()
    assert ticket in page.read_text()
    assert page.stat().st_mode & 0o777 == 0o600


def test_no_browser_is_opened_where_only_its_arguments_could_tell_it(tmp_path: Path, control: CannedControl) -> None:
    path = tmp_path / "logmedic.sock"
    with serving_dashboard(control, path=path):
        env = {"BROWSER": "/bin/false", "XDG_RUNTIME_DIR": ""}
        ran = logmedic("--socket", str(path), "dashboard", "--open", **env)
    assert ran.returncode != 0
    assert "open the link" in ran.stderr


def says(uid: int | None) -> Callable[[Request], Awaitable[int | None]]:
    async def user_at(_: Request) -> int | None:
        return uid

    return user_at


def test_a_cookie_that_went_to_another_port_opens_nothing_for_another_user(dashboard: Dashboard) -> None:
    """Browsers send cookies to every port of a host: to that of any other user as well."""
    visitor = Visitor(dashboard)
    visitor.sign_in()
    assert visitor.get("/").status == 200
    dashboard.entrance.user_at = says(6666)
    assert visitor.get("/").status == 303
    assert visitor.get("/v1/incidents").status == 401
    dashboard.entrance.user_at = says(None)  # the kernel does not say: it is as it was
    assert visitor.get("/").status == 200


BRINGING = """
import encodings.idna, os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as wire:
    wire.sendall(f"GET /v1/counts HTTP/1.1\\r\\nHost: {sys.argv[2]}\\r\\nCookie: {sys.argv[3]}\\r\\n\\r\\n".encode())
    print(wire.recv(65536).split()[1].decode())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_the_process_of_another_user_that_brings_a_cookie_is_known_for_what_it_is(dashboard: Dashboard) -> None:
    visitor = Visitor(dashboard)
    visitor.sign_in()
    command = [sys.executable, "-I", "-c", BRINGING, str(dashboard.port), dashboard.netloc, visitor.cookie]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == ["401"]
    assert visitor.get("/v1/counts").status == 200


def test_the_kernel_says_who_is_at_the_other_end_of_a_connection_of_this_host() -> None:
    for host, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
        with (
            socket.create_server((host, 0), family=family) as listener,
            socket.create_connection(listener.getsockname()[:2]) as client,
        ):
            here, _ = listener.accept()
            with here:
                assert owner(client.getsockname()[:2], here.getsockname()[:2]) == os.geteuid()
                client.close()
                assert owner(here.getpeername()[:2], here.getsockname()[:2]) is None  # nobody has it open any more


def test_a_line_of_the_kernel_s_table_is_read_as_it_is_meant() -> None:
    head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    row = "   0: 0100007F:9C40 0100007F:21B8 01 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100\n"
    gone = row.replace(" 4711 ", " 0 ").replace("9C40", "9C41").replace("  1000 ", "     0 ")
    table = head + row + gone + "no row\n"
    assert owner_in(table, ("127.0.0.1", 40000), ("127.0.0.1", 8632)) == 1000
    assert owner_in(table, ("127.0.0.1", 40001), ("127.0.0.1", 8632)) is None
    assert owner_in(table, ("127.0.0.1", 8632), ("127.0.0.1", 40000)) is None


def test_a_user_who_asks_for_many_links_takes_none_from_others() -> None:
    tickets = Tickets()
    wanted, ticket = tickets.issue("alice", True, ALICE, NOW)
    for _ in range(10 * MOST_TICKETS):
        last, _ = tickets.issue("mallory", False, MALLORY, NOW)
    assert tickets.take(wanted, NOW) == ticket
    assert tickets.take(last, NOW) is not None
    assert len(tickets._known) <= 2 * MOST_TICKETS


def test_a_user_who_signs_out_often_signs_out_nobody_else() -> None:
    sessions = Sessions(bytes(32))
    alice, mine = sessions.begin("alice", True, ALICE, NOW), sessions.begin("mallory", False, MALLORY, NOW)
    sessions.end(mine, NOW)
    for _ in range(2 * MOST_ENDED):
        sessions.end(sessions.begin("mallory", False, MALLORY, NOW), NOW)
    assert sessions.read(sessions.written(alice), NOW) == alice
    assert sessions.read(sessions.written(mine), NOW) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_user_who_opens_many_connections_keeps_no_operator_from_the_kill_switch(tmp_path: Path) -> None:
    path = tmp_path / "run" / "logmedic.sock"
    with serving(path, EVERYTHING) as control:
        assert as_another(path, "GET /v1/counts") == ["200"]
        with held_by_another(path, 2 * server.CONNECTIONS):
            assert ask(path, "POST", "/v1/pause")[0] == 200
        assert [each[0] for each in control.did] == ["pause"]


HOLDING = """
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
wires = [socket.socket(socket.AF_UNIX) for _ in range(int(sys.argv[2]))]
for each in wires:
    each.connect(sys.argv[1])
    each.sendall(b"GET /v1/events/stream HTTP/1.1\\r\\nHost: logmedic\\r\\n\\r\\n")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held_by_another(path: Path, connections: int) -> Iterator[None]:
    """So many of them, by a user who may only look."""
    command = [sys.executable, "-I", "-c", HOLDING, str(path), str(connections)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield
        finally:
            process.kill()


# -- a hostile site in the browser -------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["logmedic:8632", "logmedic."])
def test_a_name_that_somebody_on_the_network_can_take_is_not_ours_in_a_browser(tmp_path: Path, host: str) -> None:
    """Without a port it is what our own commands say; browsers of a forwarded port say it."""
    path = tmp_path / "logmedic.sock"
    with serving(path, EVERYTHING) as control:
        assert ask(path, "POST", "/v1/pause", Host=host, Origin=f"http://{host}")[0] == 403
    assert control.did == []


def test_the_port_is_not_called_by_the_name_of_the_socket(dashboard: Dashboard) -> None:
    assert Visitor(dashboard).get("/sign-in", Host="logmedic").status == 403


def test_a_page_of_what_is_wrong_shows_no_text_of_a_link_the_other_way_round(dashboard: Dashboard) -> None:
    visitor = Visitor(dashboard)
    visitor.sign_in()
    for target in (
        "/%E2%80%AE%1B%00",
        "/incidents/%E2%80%AE%1B",
        "/incidents?status=%E2%80%AE%1B",
        "/rules?from=%E2%80%AE",
    ):
        seen = visitor.get(target, Accept="text/html")
        assert seen.status in (400, 404)
        assert not {"\u202e", "\x1b", "\x00"} & set(seen.text)


# -- who may only look -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        "/v1/activity?slots=0000000019999999&since=2016-01-01",
        "/v1/incidents?limit=000000001999999",
        f"/v1/incidents?limit=000000001{'9' * 5000}",
        f"/v1/incidents?limit={'9' * 5000}",
    ],
    ids=["memory", "rows", "zeros first", "digits"],
)
def test_no_number_in_a_question_is_larger_than_it_may_be(dashboard: Dashboard, target: str) -> None:
    seen = program(dashboard, READS).get(target)
    assert seen.status == 400
    assert "a whole number from 1 to" in seen.json["hint"]


def test_zeros_before_a_number_are_nothing_wrong(dashboard: Dashboard) -> None:
    assert program(dashboard, READS).get("/v1/incidents?limit=0000000000005").status == 200


@pytest.mark.slow
def test_a_stream_ends_with_the_session_that_began_it(dashboard: Dashboard) -> None:
    visitor = Visitor(dashboard)
    visitor.sign_in()
    head = f"GET /v1/events/stream HTTP/1.1\r\nHost: {dashboard.netloc}\r\nCookie: {visitor.cookie}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", dashboard.port), timeout=20) as wire:
        wire.sendall(head.encode())
        assert b" 200 " in wire.recv(4096)
        assert visitor.form("/sign-out", csrf=csrf_of(visitor.get("/").text)).status == 303
        while wire.recv(4096):
            pass


@pytest.mark.slow
def test_a_stream_ends_with_the_token_that_began_it(dashboard: Dashboard) -> None:
    head = f"GET /v1/events/stream HTTP/1.1\r\nHost: {dashboard.netloc}\r\nAuthorization: Bearer {READS}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", dashboard.port), timeout=20) as wire:
        wire.sendall(head.encode())
        assert b" 200 " in wire.recv(4096)
        dashboard.entrance.tokens.known = ()
        while wire.recv(4096):
            pass


# -- whoever comes to the port -----------------------------------------------------------------------------------------


def test_who_asks_and_never_reads_holds_no_place(control: CannedControl) -> None:
    """Nobody has to sign in for what is asked here."""
    asked = address("vendor/uPlot.iife.min.js")
    with serving_dashboard(control, patience=Patience(send_s=0.3)) as dashboard, ExitStack() as stack:
        head = f"GET {asked} HTTP/1.1\r\nHost: {dashboard.netloc}\r\n\r\n".encode()
        wires = []
        for _ in range(8):
            wire = stack.enter_context(socket.socket())
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            wire.connect(("127.0.0.1", dashboard.port))
            wire.setblocking(False)
            with suppress(BlockingIOError):
                while wire.send(head * 100):
                    pass
            wires.append(wire)
        for wire in wires:
            assert ended(wire)


def ended(wire: socket.socket) -> bool:
    """The other side went away, without having said all."""
    poll = select.poll()
    poll.register(wire, select.POLLHUP | select.POLLERR)
    return bool(poll.poll(20_000))


# -- the host's own database of users ----------------------------------------------------------------------------------


def test_users_that_nobody_can_look_up_take_no_thread_of_the_engine() -> None:
    ready = threading.Event()

    def hanging(peer: Peer, names: Sequence[str]) -> tuple[str, bool]:
        assert ready.wait(20)
        return "x", False

    async def asked() -> int:
        operators = Operators(lookup=hanging, wait_s=0.05)
        try:
            await asyncio.gather(*(operators.caller(Peer(uid, uid)) for uid in range(5000, 5100)))
            return await asyncio.wait_for(asyncio.to_thread(lambda: 7), 5)
        finally:
            ready.set()

    assert asyncio.run(asked()) == 7


# -- what is done leaves a trace ---------------------------------------------------------------------------------------


def test_what_is_done_on_a_page_is_told_to_the_log_with_who_did_it(dashboard: Dashboard) -> None:
    visitor = Visitor(dashboard)
    visitor.sign_in()
    csrf = csrf_of(visitor.get("/").text)
    with structlog.testing.capture_logs() as told:
        for _ in range(2):
            assert visitor.form("/incidents/3-i1/ack", **{"for": "4h"}, csrf=csrf, ask="0" * 24).status == 200
    acted = [each for each in told if each["event"] == "acted"]
    assert [(each["by"], each["door"], each["what"]) for each in acted] == [
        ("alice (token)", "session", "POST /incidents/3-i1/ack")
    ]
