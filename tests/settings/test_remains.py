"""What is left of the receivers when the config does not load: somebody has to hear of that."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logmedic.model.errors import ConfigInvalid
from logmedic.settings import load_alert_settings, load_settings

GOOD = """\
alerts:
  receivers:
    chat: "json://x"
    mail: { url: "mailto://${env:WORD}@y", endpoint: "https://z.example", timezone: Europe/Berlin }
  routes: { oncall: { to: [chat], fallback: [mail] }, desk: mail }
  default_route: oncall
"""


def left(tmp_path: Path, text: str, **env: str) -> tuple[dict[str, str], dict[str, tuple[str, ...]], str, str]:
    """The URLs of the receivers, who is on the routes, the default route, and what was said."""
    path = tmp_path / "logmedic.yaml"
    path.write_text(text)
    found, problems = load_alert_settings(path, env)
    routes = {name: (*each.to, *each.fallback) for name, each in found.routes().items()}
    urls = {name: each.url for name, each in found.receivers().items()}
    return urls, routes, found.alerts.default_route, "\n".join(problems).replace(str(tmp_path), "")


def test_of_a_sound_config_all_of_it_is_left(tmp_path: Path) -> None:
    urls, routes, default, said = left(tmp_path, GOOD, WORD="secret")
    assert urls == {"chat": "json://x", "mail": "mailto://secret@y"}
    assert routes == {"oncall": ("chat", "mail"), "desk": ("mail",)}
    assert (default, said) == ("oncall", "")


@pytest.mark.parametrize(
    "elsewhere",
    [
        "mode: atuo\n",
        "sources: { a: {} }\n",
        "nonsense: 1\n",
        "storage: { keep: [\n",
        "mode: auto\nmode: auto\n",
        "\t\n",
    ],
)
def test_what_is_wrong_elsewhere_takes_nobody_away(tmp_path: Path, elsewhere: str) -> None:
    for text in (GOOD + elsewhere, elsewhere + GOOD):
        path = tmp_path / "logmedic.yaml"
        path.write_text(text)
        if elsewhere.strip():
            with pytest.raises(ConfigInvalid):
                load_settings(path, {"WORD": "secret"})
        urls, routes, default, _ = left(tmp_path, text, WORD="secret")
        assert set(urls) == {"chat", "mail"}
        assert (set(routes), default) == ({"oncall", "desk"}, "oncall")


def test_of_a_file_that_is_no_yaml_whatever_is_sound_is_left(tmp_path: Path) -> None:
    text = """\
sources: { a: [
alerts:
  # who is told
  receivers:
    chat: "json://x"
    mail:
      url: "json://y
    phone:
      url: "json://z"
      quiet_hours: { from: 22:00
  tree: [{ when: { tags: db } to: oncall }]
  routes:
    oncall: [chat, mail, phone]
  default_route: oncall
mode: [
"""
    urls, routes, default, said = left(tmp_path, text)
    assert urls == {"chat": "json://x", "phone": "json://z"}
    assert (routes, default) == ({"oncall": ("chat", "phone")}, "oncall")
    assert "not YAML" in said


def test_a_receiver_whose_secret_is_missing_is_left_out_and_told(tmp_path: Path) -> None:
    urls, routes, default, said = left(tmp_path, GOOD)
    assert urls == {"chat": "json://x"}
    assert (routes, default) == ({"oncall": ("chat",)}, "oncall")
    assert said == "alerts.receivers.mail: ${env:WORD}: the variable WORD is not set"


@pytest.mark.parametrize(
    ("alerts", "urls", "routes"),
    [
        ("receivers: { a: { url: json://x, timezone: Nowhere } }", {"a"}, {"default": ("a",)}),
        ("receivers: { a: { url: json://x, endpoint: y } }", {"a"}, {"default": ("a",)}),
        ("receivers: { a: { endpoint: y }, b: json://x }", {"b"}, {"default": ("b",)}),
        ("receivers: { a: 7, b: [], c: json://x }", {"c"}, {"default": ("c",)}),
        ("receivers: { a: json://x }, routes: { r: { to: [b, a], group_wait: soon } }", {"a"}, {"r": ("a",)}),
        ("receivers: { a: json://x }, routes: { r: { to: b, fallback: a } }", {"a"}, {"r": ("a",)}),
        ("receivers: { a: json://x }, routes: { r: b }, default_route: r", {"a"}, {"default": ("a",)}),
        ("receivers: { a: json://x }, routes: { r: a, s: a }, default_route: t", {"a"}, {"default": ("a",)}),
        ("receivers: { a: json://x }, routes: { r: a, s: a }, default_route: [t]", {"a"}, {"default": ("a",)}),
        ("receivers: { a: json://x }, routes: 7, tree: 8, heartbeat: 9", {"a"}, {"default": ("a",)}),
        ("receivers: []", set(), {}),
    ],
)
def test_of_what_is_wrong_in_alerts_the_sound_parts_are_left(
    tmp_path: Path, alerts: str, urls: set[str], routes: dict[str, tuple[str, ...]]
) -> None:
    found, ways, _, _ = left(tmp_path, f"alerts: {{ {alerts} }}\n")
    assert (set(found), ways) == (urls, routes)


def test_where_no_file_can_be_read_variables_still_count(tmp_path: Path) -> None:
    found, problems = load_alert_settings(tmp_path / "gone.yaml", {"LOGMEDIC_ALERTS__RECEIVERS__A": "json://x"})
    assert set(found.receivers()) == {"a"}
    assert "cannot read the config" in problems[0]


def test_no_line_of_the_file_is_shown(tmp_path: Path) -> None:
    text = "alerts: { receivers: { chat: 'slack://pa55word', chat: [ } }\n"
    assert "pa55word" not in left(tmp_path, text)[3]


@settings(deadline=None, max_examples=60)
@given(
    st.text(max_size=200) | st.binary(max_size=200).map(lambda each: each.decode("latin-1")), st.integers(0, len(GOOD))
)
def test_nothing_that_stands_in_the_file_raises(tmp_path_factory: pytest.TempPathFactory, odd: str, at: int) -> None:
    path = tmp_path_factory.getbasetemp() / "odd.yaml"
    path.write_text(GOOD[:at] + odd + GOOD[at:], encoding="utf-8", errors="replace")
    found, _ = load_alert_settings(path, {})
    assert found.receivers() is not None
