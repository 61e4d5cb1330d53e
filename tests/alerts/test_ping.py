"""The heartbeat's ping against real servers: it ends in time, and says what went wrong without the address."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from alerts.sending import spying_python
from alerts.servers import Answer, Connections, Dripping, Greeting, HttpServer, closed_port
from logmedic.adapters.alerts.ping import Ping

SECRET = "0d1c9b5e-dead-4bee-8f00-5ec2e7"


def ping(url: str, *, deadline_s: float = 20.0, environment: Mapping[str, str] | None = None) -> str:
    return asyncio.run(Ping(url, deadline_s=deadline_s, environment=environment)())


def at(server: HttpServer | Connections, path: str = "", user: str = "") -> str:
    return f"http://{user}127.0.0.1:{server.port}/{path}{SECRET}"


def test_an_answer_of_2xx_is_well_and_the_address_is_asked_for_as_it_is_written() -> None:
    with HttpServer() as server:
        assert ping(at(server, "ping/") + "?state=up#part") == ""
    (asked,) = server.posted
    assert (asked.path, asked.headers["User-Agent"]) == (f"/ping/{SECRET}?state=up", "logmedic")


def test_a_user_and_a_password_in_the_address_are_the_header_that_they_stand_for() -> None:
    with HttpServer() as server:
        assert ping(at(server, user="me:a%40b@")) == ""
    assert server.posted[0].headers["Authorization"] == "Basic bWU6YUBi"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (404, "HTTP 404 Not Found"),
        (410, "HTTP 410 Gone"),
        (429, "HTTP 429 Too Many Requests"),
        (500, "HTTP 500 Internal Server Error"),
        (302, "HTTP 302 Found: write the address that it leads to"),
    ],
)
def test_every_other_answer_is_none(status: int, said: str) -> None:
    leads = {"Location": "/login"} if status == 302 else {}
    with HttpServer({"bad": Answer(status, b"no", leads)}) as server:
        assert ping(at(server, "bad/")) == said
    assert [each.path for each in server.posted] == [f"/bad/{SECRET}"]


@pytest.mark.parametrize("line", [b"", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000], ids=["black hole", "drips"])
def test_a_server_that_never_comes_to_an_end_is_given_up_in_time(line: bytes) -> None:
    with Dripping(line) as server:
        began = time.monotonic()
        assert ping(at(server), deadline_s=1.0) == "no answer within 1 s, given up"
    assert time.monotonic() - began < 20


def test_who_refuses_or_speaks_no_http_is_told_of() -> None:
    assert ping(f"http://127.0.0.1:{closed_port()}/{SECRET}") == "no answer: Connection refused"
    with Greeting(b"220 mail.example ESMTP\r\n") as server:
        assert ping(at(server)) == "the answer is no HTTP, or was cut off"
    with Connections() as server:
        assert ping(at(server)) in ("the answer is no HTTP, or was cut off", "no answer: Connection reset by peer")


@pytest.mark.parametrize(
    "url",
    [
        *("file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x", "hc.example/uuid", "http://", "http://[::1/x", ""),
        *("http://127.0.0.1:port/x", "http://127.0.0.1/a b", "http://127.0.0.1/\x00", "http://bücher.example/x"),
    ],
)
def test_what_is_no_address_of_the_web_is_not_asked_for(url: str) -> None:
    assert ping(url) == "not an http:// or https:// address that can be asked"


def test_the_proxy_of_the_environment_is_used_and_one_that_refuses_is_told_of() -> None:
    with HttpServer() as proxy:
        environment = {"http_proxy": f"http://127.0.0.1:{proxy.port}"}
        assert ping(f"http://hc.invalid/{SECRET}", environment=environment) == ""
        assert proxy.posted[0].path == f"http://hc.invalid/{SECRET}"
        environment = {"https_proxy": f"http://127.0.0.1:{proxy.port}"}
        assert ping(f"https://hc.invalid/{SECRET}", environment=environment) == "the proxy refuses"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """For 127.0.0.1; its key is beside it, as .key."""
    path = tmp_path / "it.pem"
    subject = ("-subj", "/CN=it", "-addext", "subjectAltName=IP:127.0.0.1")
    asked = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    subprocess.run([*asked, *subject, "-keyout", f"{path}.key", "-out", path], check=True, capture_output=True)
    return path


def test_a_certificate_that_nobody_vouches_for_is_refused_and_one_that_the_operator_trusts_is_not(
    certificate: Path,
) -> None:
    with HttpServer() as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, f"{certificate}.key")
        server._server.socket = context.wrap_socket(server._server.socket, server_side=True)
        url = at(server).replace("http:", "https:")
        assert ping(url).startswith("the certificate is not trusted: ")
        assert not server.posted
        assert ping(url, environment={"SSL_CERT_FILE": str(certificate)}) == ""
        assert ping(url, environment={"REQUESTS_CA_BUNDLE": str(certificate)}) == ""


def test_a_server_without_tls_is_told_of() -> None:
    with HttpServer() as server:
        assert ping(at(server).replace("http:", "https:")).startswith("TLS: ")


def test_the_address_is_in_no_argument_and_in_no_environment_and_settings_are_not_passed_on(tmp_path: Path) -> None:
    python, notes = spying_python(tmp_path)
    with HttpServer() as server:
        surroundings = {**os.environ, "LOGMEDIC_ALERTS__HEARTBEAT__URL": at(server), "NO_PROXY": "*"}
        assert asyncio.run(Ping(at(server), python=python, environment=surroundings)()) == ""
    told = notes.read_text()
    assert "pingworker" in told
    assert "NO_PROXY" in told
    assert SECRET not in told


def test_a_process_that_does_not_start_or_is_lost_is_told_of() -> None:
    assert asyncio.run(Ping("http://x/", python="/gone/python")()) == (
        "the process that asks does not start: No such file or directory"
    )
    assert asyncio.run(Ping("http://x/", python="/bin/true")()).startswith("the process that asks was lost")


def test_a_cancel_leaves_no_process_behind(tmp_path: Path) -> None:
    python, notes = spying_python(tmp_path)

    async def cancelled(port: int) -> int:
        asking = asyncio.create_task(Ping(f"http://127.0.0.1:{port}/", python=python)())
        while not (notes.exists() and notes.read_text().count("\n") > 1):
            await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        return int(notes.read_text().split()[0])

    with Dripping() as server:
        pid = asyncio.run(cancelled(server.port))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_worker_imports_nothing_but_the_standard_library() -> None:

    program = (
        "import sys, logmedic.adapters.alerts.pingworker\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'apprise', 'requests', 'structlog', 'asyncio'}))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
