"""Proxies come from the environment that is passed in, as curl reads it."""

from __future__ import annotations

import pytest

from alerts.servers import HttpServer
from diagnosis.asking import ask, diagnosis_json, said
from logmedic.adapters.diagnosis.posting import proxy_for

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("url", "environment", "wanted"),
    [
        ("https://llm.example/v1", {}, None),
        ("https://llm.example/v1", {"HTTPS_PROXY": PROXY}, PROXY),
        ("https://llm.example/v1", {"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}, PROXY),
        ("https://llm.example/v1", {"ALL_PROXY": "proxy.example:3128"}, PROXY),
        ("https://llm.example/v1", {"HTTP_PROXY": PROXY}, None),
        ("https://llm.example/v1", {"HTTPS_PROXY": PROXY, "NO_PROXY": "a.b, .example"}, None),
        ("https://llm.example/v1", {"HTTPS_PROXY": PROXY, "NO_PROXY": "llm.example:443,x"}, PROXY),
        ("https://llm.example:443/v1", {"HTTPS_PROXY": PROXY, "NO_PROXY": "llm.example:443,x"}, None),
        ("https://llm.example/v1", {"HTTPS_PROXY": PROXY, "NO_PROXY": "m.example,,"}, PROXY),
        ("https://llm.example/v1", {"HTTPS_PROXY": PROXY, "no_proxy": "*"}, None),
        ("http://127.0.0.1:8080/v1", {"HTTP_PROXY": PROXY}, None),
        ("http://[::1]:8080/v1", {"HTTP_PROXY": PROXY}, None),
        ("http://localhost:8080/v1", {"ALL_PROXY": PROXY}, None),
    ],
)
def test_which_proxy(url: str, environment: dict[str, str], wanted: str | None) -> None:
    assert proxy_for(url, environment) == wanted


def test_a_question_goes_through_the_proxy() -> None:
    with HttpServer({"": said(diagnosis_json())}) as proxy:
        got = ask("http://llm.example/v1", environment={"http_proxy": f"http://127.0.0.1:{proxy.port}"})
        assert [each.path for each in proxy.posted] == ["http://llm.example/v1/chat/completions"]
    assert got.ok


def test_a_kind_of_proxy_that_cannot_be_used_is_told() -> None:
    got = ask("http://llm.example/v1", environment={"ALL_PROXY": "socks5://127.0.0.1:1080"})
    assert (got.ok, got.sent) == (False, False)
    assert "socks" in got.problem
