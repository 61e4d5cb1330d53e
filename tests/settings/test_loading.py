"""The config: defaults, layers, secrets, and all mistakes at once."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from logmedic.model.alert import Route
from logmedic.model.errors import ConfigInvalid
from logmedic.model.rule import LogFiles, Mode
from logmedic.settings import Settings, config_schema, load_at_rest, load_settings
from logmedic.settings.sources import usual_sources


def load(tmp_path: Path, text: str, **env: str) -> Settings:
    path = tmp_path / "logmedic.yaml"
    path.write_text(text)
    return load_settings(path, env)


def mistakes(tmp_path: Path, text: str, **env: str) -> str:
    with pytest.raises(ConfigInvalid) as told:
        load(tmp_path, text, **env)
    return told.value.text.replace(str(tmp_path), "")


def test_without_a_file_everything_is_observed_and_nobody_told() -> None:
    settings = load_settings(None, {})
    assert settings.mode is Mode.OBSERVE
    assert settings.sources == {}
    assert set(settings.followed(())) - {"journal"} == {"syslog", "auth"}
    assert settings.receivers() == {}
    assert any((path / "nginx.yaml").exists() for path in settings.rule_paths())


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({"mail": "of its own"}, "of its own"),
        ({"logmedic_mail": "of the directory"}, "of the directory"),
        ({"mail": "of its own", "logmedic_mail": "of the directory"}, "of its own"),
    ],
)
def test_a_credential_is_found_however_the_unit_was_given_it(
    tmp_path: Path, files: dict[str, str], wanted: str
) -> None:
    """LoadCredential=mail:/a/file, or LoadCredential=logmedic:/a/directory."""
    given = tmp_path / "given"
    given.mkdir()
    for name, text in files.items():
        (given / name).write_text(f"{text}\n")
    text = "alerts: { receivers: { mail: 'json://${credential:mail}' } }"
    settings = load(tmp_path, text, CREDENTIALS_DIRECTORY=str(given))
    assert settings.receivers()["mail"].url == f"json://{wanted}"


def test_variables_win_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    text = "mode: approve\nstorage: { keep: 5d }\nweb: { group: staff }\n"
    settings = load(tmp_path, text, LOGMEDIC_MODE="auto", LOGMEDIC_WEB__SOCKET="/x/y", OTHER="z")
    assert settings.mode is Mode.AUTO
    assert settings.web.socket == Path("/x/y")
    assert settings.storage.keep.incidents == timedelta(days=5)
    assert settings.web.group == "staff"


def test_the_file_can_be_named_by_a_variable(tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_text("mode: auto\n")
    assert load_settings(None, {"LOGMEDIC_CONFIG": str(path)}).mode is Mode.AUTO


def test_all_mistakes_come_at_once_with_their_places(tmp_path: Path) -> None:
    text = """\
mode: atuo
sources:
  shop: { files: [], from_strat: true }
storage: { keep: 30 }
alerts:
  receivers: { chat: "json://x" }
  routes: { oncall: [chat, mial] }
wbe: {}
"""
    told = mistakes(tmp_path, text, LOGMEDIC_STORAG__PATH="/x")
    for wanted in (
        "/logmedic.yaml:1:1: error: `mode`",
        "/logmedic.yaml:3:11: error: `sources.shop.files`",
        "/logmedic.yaml:3:22: error: unknown key `from_strat`",
        "did you mean `from_start`?",
        "/logmedic.yaml:4:12: error: `storage.keep`: `30` is no duration",
        "/logmedic.yaml:8:1: error: unknown key `wbe`",
        "did you mean `web`?",
        "LOGMEDIC_STORAG__PATH is no setting",
        "did you mean `LOGMEDIC_STORAGE`?",
    ):
        assert wanted in told


def test_names_that_stand_for_nothing_are_told(tmp_path: Path) -> None:
    text = 'alerts:\n  receivers: { mail: "json://x" }\n  routes: { a: [mial] }\n  default_route: b\n'
    told = mistakes(tmp_path, text)
    assert "route `a` names the receiver `mial`" in told
    assert "did you mean `mail`?" in told
    assert "`b` is no route" in told


@pytest.mark.parametrize("text", ["- a\n", "just text\n", "mode: [\n", "mode: auto\nmode: auto\n"])
def test_what_is_no_config_is_told(tmp_path: Path, text: str) -> None:
    assert "/logmedic.yaml:" in mistakes(tmp_path, text)


def test_secrets_are_followed_and_never_shown(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("T1/B1/s3cret\n")
    (tmp_path / "mail").write_text("pa55word")
    text = """\
alerts:
  receivers:
    chat: "slack://${file:TOKEN}"
    mail: "mailto://u:${credential:mail}@x"
    other: { url: "json://${env:HOOK}", endpoint: "http://y" }
""".replace("TOKEN", str(secret))
    settings = load(tmp_path, text, CREDENTIALS_DIRECTORY=str(tmp_path), HOOK="h00k")
    urls = {name: each.url for name, each in settings.receivers().items()}
    assert urls == {"chat": "slack://T1/B1/s3cret", "mail": "mailto://u:pa55word@x", "other": "json://h00k"}
    assert settings.receivers()["other"].endpoint == "http://y"
    for shown in (repr(settings), str(settings.receivers()), json.dumps(settings.model_dump(mode="json"))):
        assert not any(each in shown for each in ("s3cret", "pa55word", "h00k"))


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("${file:/no/such/file}", "No such file"),
        ("${credential:x}", "LoadCredential=x"),
        ("${env:NOT_SET}", "the variable NOT_SET is not set"),
        ("${vault:x}", "is no reference; known are file, credential and env"),
    ],
)
def test_a_secret_that_is_not_there_is_told(tmp_path: Path, reference: str, says: str) -> None:
    told = mistakes(tmp_path, f'alerts: {{ receivers: {{ chat: "slack://{reference}" }} }}\n')
    assert says in told
    assert ":1:24: " in told


def test_who_looks_after_files_does_not_need_the_secrets_that_the_daemon_alone_is_given(tmp_path: Path) -> None:
    """LoadCredential= and Environment= in a drop-in of its unit: `install fixes` and `restore` are typed by root."""
    path = tmp_path / "logmedic.yaml"
    path.write_text("""\
alerts:
  receivers: { chat: "slack://${credential:slack}", mail: { url: "${env:MAIL}" }, page: "json://x" }
  routes: { oncall: { to: [chat, mail], fallback: page } }
  heartbeat: { url: "https://watch.example/${credential:beat}", every: 5m }
storage: { path: /srv/l.duckdb }
""")
    settings = load_at_rest(path, {})
    assert settings.storage.path == Path("/srv/l.duckdb")
    assert settings.receivers().keys() == {"chat", "mail", "page"}
    assert settings.receivers()["page"].url == "json://x"
    assert settings.alerts.heartbeat is None


@pytest.mark.parametrize(
    "text", ["storage: { path: '${env:WHERE}' }", "alerts: { receivers: { chat: '${env:X}' }, routes: { a: chta } }"]
)
def test_every_other_mistake_is_one_for_them_too(text: str, tmp_path: Path) -> None:
    path = tmp_path / "logmedic.yaml"
    path.write_text(text)
    with pytest.raises(ConfigInvalid):
        load_at_rest(path, {})


def test_routes_are_written_short_or_long(tmp_path: Path) -> None:
    text = """\
alerts:
  receivers: { chat: "json://x", mail: "json://y" }
  routes:
    one: chat
    two: [chat, mail]
    three: { to: [chat], fallback: [mail] }
"""
    plan = load(tmp_path, text).policy(hostname="h", started_at=datetime.now(UTC)).alerts
    assert plan.routes == {
        "one": Route("one", ("chat",)),
        "two": Route("two", ("chat", "mail")),
        "three": Route("three", ("chat",), ("mail",)),
    }
    assert plan.default_route == ""


def test_without_routes_every_receiver_is_told(tmp_path: Path) -> None:
    text = 'alerts: { receivers: { chat: "json://x", mail: "json://y" } }\n'
    plan = load(tmp_path, text).policy(hostname="h", started_at=datetime.now(UTC)).alerts
    assert plan.routes[plan.default_route].to == ("chat", "mail")


def test_the_policy_has_what_was_set(tmp_path: Path) -> None:
    text = """\
mode: auto
environment: production
actions: { concurrency: 3, max_per_hour: 7 }
incidents: { max_age: 1m, resolve_after: 2m, approval_expires: 3m }
learning: { promote_after: 4, escalate_after: 20 }
"""
    policy = load(tmp_path, text).policy(hostname="db1", started_at=datetime.now(UTC))
    assert (policy.mode, policy.max_running, policy.host_max_per_hour) == (Mode.AUTO, 3, 7)
    assert [each.total_seconds() for each in (policy.max_age, policy.resolve_after, policy.approval_expires)] == [
        *(60, 120, 180)
    ]
    assert (policy.learning.promote_after, policy.learning.escalate_after) == (4, 20)
    assert policy.learning.production
    assert not policy.arming.armed


def test_rule_files_may_belong_to_root_to_us_and_to_whoever_owns_the_program() -> None:
    assert {0, os.geteuid()} <= load_settings(None, {}).rule_owners()


def test_the_shipped_schema_is_that_of_this_version() -> None:
    shipped = Path(__file__).parents[2] / "docs" / "schema" / "config-v1.json"
    assert json.loads(shipped.read_text()) == json.loads(json.dumps(config_schema())), "make schema"


def test_each_kind_of_source_can_be_named(tmp_path: Path) -> None:
    text = """
sources:
  app: { files: /var/log/app/*.log, from_start: true, quiet_after: 10m, multiline: { continue: '^ ' } }
  host: { journal: {} }
  web: { journal: { units: nginx.service, identifiers: [nginx] } }
  tool: { command: [smartctl, --all] }
  net: { syslog: { udp: 5514, tcp: 5514, unix: /run/logmedic/log } }
"""
    sources = load(tmp_path, text).sources
    assert sources["app"].quiet_after == timedelta(minutes=10)
    assert sources["app"].multiline is not None
    assert sources["app"].multiline.continues == "^ "
    assert sources["host"].journal is not None
    assert sources["web"].journal is not None
    assert sources["web"].journal.units == ("nginx.service",)
    assert sources["tool"].command == ("smartctl", "--all")
    assert sources["net"].syslog is not None
    assert sources["net"].syslog.address == "127.0.0.1"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{}", "it names nothing; name one of files, journal, command, syslog"),
        ("{ files: /a, journal: {} }", "it names `files` and `journal`"),
        ("{ syslog: {} }", "it listens nowhere; name a port with `udp` or `tcp`, or a path with `unix`"),
        ("{ syslog: { udp: 70000 } }", "less than or equal to 65535"),
        ("{ journal: { unit: x } }", "did you mean `units`?"),
        ("{ file: /a }", "did you mean `files`?"),
        ("{ files: /a, quiet_after: 10 }", "`sources.app.quiet_after`"),
        ("{ syslog: { udp: 514 }, multiline: { start: x } }", "`multiline` has no effect on `syslog`"),
        ("{ files: /a, multiline: { continues: x } }", "did you mean `continue`?"),
    ],
)
def test_a_source_that_is_none_is_told_with_its_place(tmp_path: Path, source: str, told: str) -> None:
    said = mistakes(tmp_path, f"mode: observe\nsources:\n  app: {source}\n")
    assert told in said
    assert "/logmedic.yaml:3:" in said


@pytest.mark.parametrize("there", [True, False])
def test_the_journal_is_read_where_no_file_has_the_same_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    syslog = tmp_path / "syslog"
    if there:
        syslog.touch()
    monkeypatch.setattr("logmedic.settings.sources.SYSLOG_FILES", (syslog, tmp_path / "messages"))
    assert ("journal" in load_settings(None, {}).followed(())) is not there


BROUGHT = (
    LogFiles("redis", ("/var/log/redis/*.log",), "redis.yaml"),
    LogFiles("redis", ("/srv/redis/*.log",), "own.yaml"),
    LogFiles("syslog", ("/elsewhere",), "own.yaml"),
)


def test_without_sources_those_of_the_rule_files_are_followed_beside_the_usual_ones() -> None:
    followed = load_settings(None, {}).followed(BROUGHT)
    assert followed["redis"].files == ("/var/log/redis/*.log", "/srv/redis/*.log")
    assert followed["redis"].optional
    assert "/elsewhere" not in (followed["syslog"].files or ())


def test_with_sources_nothing_else_is_followed_unless_it_is_asked_for(tmp_path: Path) -> None:
    config = tmp_path / "logmedic.yaml"
    config.write_text("sources: { redis: { files: /mine.log } }\n")
    assert set(load_settings(config, {}).followed(BROUGHT)) == {"redis"}
    config.write_text("sources: { redis: { files: /mine.log } }\ndiscover: true\n")
    followed = load_settings(config, {}).followed(BROUGHT)
    assert followed["redis"].files == ("/mine.log",)
    assert {"syslog", "auth"} <= set(followed)


def test_of_two_logs_with_the_same_lines_one_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syslog, messages = tmp_path / "syslog", tmp_path / "messages"
    monkeypatch.setattr("logmedic.settings.sources.SYSLOG_FILES", (syslog, messages))
    assert load_settings(None, {}).followed(())["syslog"].files == (str(syslog), str(messages))
    messages.touch()
    assert load_settings(None, {}).followed(())["syslog"].files == (str(messages),)
    syslog.touch()
    assert load_settings(None, {}).followed(())["syslog"].files == (str(syslog),)


def test_what_is_followed_does_not_change_while_a_log_is_rotated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syslog, messages = tmp_path / "syslog", tmp_path / "messages"
    monkeypatch.setattr("logmedic.settings.sources.SYSLOG_FILES", (syslog, messages))
    syslog.touch()
    settings = load_settings(None, {})
    usual = usual_sources()
    at_the_start = settings.followed((), usual)
    syslog.rename(tmp_path / "syslog.1")
    assert settings.followed((), usual) == at_the_start
    assert settings.followed(()) != at_the_start


def test_the_system_rules_are_named_though_they_are_not_there_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = tmp_path / "rules.d"
    monkeypatch.setattr("logmedic.settings.form.SYSTEM_RULES", later)
    settings = load_settings(None, {})
    assert settings.rule_paths()[0] == later
    assert settings.optional_rule_paths == {later}
    configured = load(tmp_path, f"rules: {{ paths: [{later}] }}\n")
    assert configured.rule_paths() == [later]
    assert configured.optional_rule_paths == frozenset()


def test_a_version_is_told_by_a_field_or_by_a_file(tmp_path: Path) -> None:
    text = """\
sources:
  shop: { files: /srv/shop/*.log, version: { field: release } }
  api: { journal: {}, version: { file: /srv/api/VERSION } }
  other: { files: /a }
"""
    settings = load(tmp_path, text)
    assert settings.version_files() == {"api": Path("/srv/api/VERSION")}
    learning = settings.policy(hostname="h", started_at=datetime.now(UTC)).learning
    assert learning.version_fields == {"shop": "release"}


@pytest.mark.parametrize(
    ("version", "says"),
    [
        ("{}", "it names nothing; name one of field, file"),
        ("{ field: release, file: /srv/VERSION }", "it names `field` and `file`; name one of field, file"),
        ("{ file: VERSION }", "`VERSION` is no absolute path"),
        ("{ path: /srv/VERSION }", "unknown key `path`"),
        ("{ fields: release }", "did you mean `field`?"),
    ],
)
def test_a_version_that_nobody_could_tell_is_a_mistake(tmp_path: Path, version: str, says: str) -> None:
    told = mistakes(tmp_path, f"sources: {{ shop: {{ files: /a, version: {version} }} }}\n")
    assert says in told
    assert "/logmedic.yaml:1:" in told


def test_what_is_learned_is_over_after_a_silence_that_can_be_set(tmp_path: Path) -> None:
    def learning(text: str) -> timedelta:
        return load(tmp_path, text).policy(hostname="h", started_at=datetime.now(UTC)).learning.resolve_after

    assert learning("{}\n") == timedelta(days=7)
    assert learning("learning: { resolve_after: 36h }\n") == timedelta(hours=36)


def test_early_warnings_go_to_a_route_that_is_there(tmp_path: Path) -> None:
    routes = 'alerts: { receivers: { mail: "json://x" }, routes: { oncall: [mail] } }\n'
    settings = load(tmp_path, routes + "learning: { warn_route: oncall }\n")
    assert settings.policy(hostname="h", started_at=datetime.now(UTC)).learning.warn_route == "oncall"
    told = mistakes(tmp_path, routes + "learning: { warn_route: oncal }\n")
    assert "/logmedic.yaml:2:13: error: `oncal` is no route" in told
    assert "did you mean `oncall`?" in told
    told = mistakes(tmp_path, "learning: { warn_route: oncall }\n")
    assert "add it to alerts.routes: { oncall: [RECEIVER] }" in told


def test_without_routes_the_one_over_all_receivers_can_be_named(tmp_path: Path) -> None:
    text = 'alerts: { receivers: { mail: "json://x" } }\nlearning: { warn_route: default }\n'
    assert load(tmp_path, text).learning.warn_route == "default"
