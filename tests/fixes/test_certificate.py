"""`renew`: the end of a certificate is read, and only one that has moved is a success."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logmedic.fixrun.acts.certificate import end_of, not_after, renew
from logmedic.fixrun.acts.words import Unreached

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None and "CI" not in os.environ, reason="openssl is not installed"
)
DAY = 86400.0


def element(tag: int, *parts: bytes) -> bytes:
    inner = b"".join(parts)
    if len(inner) < 128:
        return bytes([tag, len(inner)]) + inner
    size = len(inner).to_bytes((len(inner).bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(size)]) + size + inner


def time_of(at: datetime) -> bytes:
    """RFC 5280, 4.1.2.5: UTCTime until 2049."""
    short = 1950 <= at.year < 2050
    return element(0x17 if short else 0x18, at.strftime("%y%m%d%H%M%SZ" if short else "%Y%m%d%H%M%SZ").encode())


def certificate(ends: datetime, *, version: bool = True, issuer: bytes = b"x") -> bytes:
    body = [
        *([element(0xA0, element(0x02, b"\2"))] if version else []),
        element(0x02, b"\1"),
        element(0x30, element(0x06, b"\x2b\x65\x70")),
        element(0x30, element(0x0C, issuer)),
        element(0x30, time_of(datetime(2020, 1, 1, tzinfo=UTC)), time_of(ends)),
    ]
    return element(0x30, element(0x30, *body), element(0x30), element(0x03, b"\0"))


def pem(der: bytes) -> str:
    return f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(der).decode()}-----END CERTIFICATE-----\n"


def put(path: Path, ends: datetime) -> Path:
    path.write_text(pem(certificate(ends)))
    return path


@given(
    ends=st.integers(946_684_800, 7_226_582_400).map(lambda each: datetime.fromtimestamp(each, UTC)),
    version=st.booleans(),
    issuer=st.binary(max_size=70_000),
)
def test_the_end_is_read_whatever_stands_before_it(ends: datetime, version: bool, issuer: bytes) -> None:
    assert not_after(certificate(ends, version=version, issuer=issuer)) == ends


@given(der=st.binary(max_size=300), cut=st.integers(0, 80))
def test_what_is_no_certificate_is_an_error_and_nothing_else(der: bytes, cut: int) -> None:
    for each in (der, certificate(datetime(2030, 1, 1, tzinfo=UTC))[:cut]):
        try:
            not_after(each)
        except (ValueError, IndexError):
            continue


def openssl(*arguments: str) -> str:
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True).stdout


@needs_openssl
@pytest.mark.parametrize("days", [1, 90, 20_000])
def test_a_certificate_of_openssl_is_read(tmp_path: Path, days: int) -> None:
    made = tmp_path / "x.pem"
    openssl(
        "req",
        "-x509",
        "-newkey",
        "ed25519",
        "-nodes",
        "-keyout",
        "/dev/null",
        "-subj",
        "/CN=x",
        *("-days", str(days), "-out", str(made)),
    )
    made.write_text(f"Subject: CN=x\n{made.read_text()}{pem(certificate(datetime(2000, 1, 1, tzinfo=UTC)))}")
    told = openssl("x509", "-enddate", "-noout", "-in", str(made))
    wanted = datetime.strptime(told, "notAfter=%b %d %H:%M:%S %Y GMT\n").replace(tzinfo=UTC)
    assert end_of(str(made)) == wanted, "of the first one in the file"


NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def ask(file: Path, *argv: str, before_days: float = 30, dry: bool = False) -> None:
    asked: dict[str, Any] = {"file": str(file), "argv": list(argv), "before": before_days * DAY}
    renew(asked, dry=dry, now=NOW.timestamp())


def test_one_that_is_not_due_is_left_and_that_is_a_success(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = put(tmp_path / "x.pem", NOW + timedelta(days=31))
    ask(file, "/no/such/program")
    assert capsys.readouterr().out == f"{file} ends 2026-12-27 12:00 UTC, in 31d\nit is not due\n"


def test_one_that_is_due_is_renewed_and_has_to_end_later(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = put(tmp_path / "x.pem", NOW + timedelta(days=29))
    new = put(tmp_path / "new.pem", NOW + timedelta(days=90))
    with pytest.raises(Unreached, match="still ends 2026-12-25 12:00 UTC"):
        ask(file, "/bin/true")
    ask(file, "/bin/mv", str(new), str(file))
    assert capsys.readouterr().out.endswith("x.pem ends 2027-02-24 12:00 UTC now\n")


@pytest.mark.parametrize(("argv", "why"), [("/bin/false", "failed .exit 1"), ("/no/such/program", "cannot be run")])
def test_a_program_that_fails_is_a_failure(tmp_path: Path, argv: str, why: str) -> None:
    with pytest.raises(Unreached, match=why):
        ask(put(tmp_path / "x.pem", NOW - timedelta(days=3)), argv)


def test_the_dry_run_says_whether_it_is_due_and_runs_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = put(tmp_path / "x.pem", NOW - timedelta(days=3))
    ask(file, "/bin/rm", str(file), dry=True)
    assert file.exists()
    assert f"3d ago\nwould run: /bin/rm {file}\n" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "x", pem(b"no certificate"), pem(b"")])
def test_f66_without_a_certificate_nothing_is_run(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.pem"
    file.write_text(text)
    with pytest.raises(Unreached, match="holds"):
        ask(file, "/bin/rm", str(file))
    assert file.exists()
    with pytest.raises(Unreached, match="No such file"):
        ask(tmp_path / "nothing", "/bin/rm", str(file))
    assert file.exists()
