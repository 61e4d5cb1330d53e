"""Only who has a trusted certificate gets the key and the question."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from alerts.servers import HttpServer
from diagnosis.asking import ask, diagnosis_json, said


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """For 127.0.0.1, with its key in the same file."""
    path = tmp_path / "it.pem"
    subject = ("-subj", "/CN=it", "-addext", "subjectAltName=IP:127.0.0.1")
    asked = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    subprocess.run([*asked, *subject, "-keyout", path, "-out", f"{path}.cert"], check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.cert").read_text())
    return path


def secured(server: HttpServer, certificate: Path) -> HttpServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server._server.socket = context.wrap_socket(server._server.socket, server_side=True)
    return server


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    with secured(HttpServer({"v1": said(diagnosis_json())}), certificate) as server:
        got = ask(f"https://127.0.0.1:{server.port}/v1")
        assert not server.posted
    assert (got.sent, got.retry_after_s) == (False, None)
    assert got.problem.startswith("the certificate is not trusted: ")


def test_one_of_another_name_is_refused(certificate: Path) -> None:
    with secured(HttpServer({"v1": said(diagnosis_json())}), certificate) as server:
        got = ask(f"https://localhost:{server.port}/v1", environment={"SSL_CERT_FILE": f"{certificate}.cert"})
        assert not server.posted
    assert got.problem.startswith("the certificate is not trusted: ")


def test_one_that_the_operator_trusts_is_asked(certificate: Path) -> None:
    with secured(HttpServer({"v1": said(diagnosis_json())}), certificate) as server:
        got = ask(f"https://127.0.0.1:{server.port}/v1", environment={"SSL_CERT_FILE": f"{certificate}.cert"})
    assert got.ok, got.problem
