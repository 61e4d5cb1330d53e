"""The unit tier under a real systemd: armed, run, bounded, refused, told."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from booted.conftest import NOT_LOOPBACK, Asking
from booted.host import Host


def test_the_canary_held_and_every_rule_can_run(asking: Asking) -> None:
    assert asking.armed() == {"armed": True, "sandbox": "unit", "reason": "", "refused": {}}


def test_a_fix_runs_as_somebody_who_owns_nothing_and_changes_what_it_declared(host: Host, asking: Asking) -> None:
    result = asking.one("mend", what="spool")
    assert (result["exit_code"], result["sandbox"]) == (0, "unit"), result
    owner = int(host.run("stat", "-c", "%u", "/srv/app/spool"))
    assert owner not in (0, int(host.run("id", "-u", "logmedic")), int(host.run("id", "-u", "logmedic-fix")))


def test_a_step_with_a_user_runs_as_that_user(host: Host, asking: Asking) -> None:
    result = asking.one("as-app")
    assert (result["exit_code"], result["output"]) == (0, "app\n"), result
    assert host.run("stat", "-c", "%U", "/srv/app/mine") == "app\n"


# -- what the daemon cannot do -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["../../etc/x", "a b", "$(id)", "-x", "a/b", "x" * 65, ""])
def test_wrong_parameters_are_refused_and_audited(host: Host, asking: Asking, what: str) -> None:
    result = asking.one("mend", what=what)
    assert not result["started"]
    assert "what is not allowed" in result["detail"]
    assert f"'what'={what!a} refused: what is not allowed" in host.journal("-t", "logmedic-fix", "-n", "20")


@pytest.mark.parametrize(
    "text",
    [
        '{"rule": "seldom", "name": "mend"}\n',
        '{"rule": "seldom", "argv": ["/bin/sh"]}\n',
        '{"rule": "../../etc/passwd"}\n',
        '{"rule": "mend", "captures": {"what": "x"}}\n',
        "GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_request_for_that_fix_is_refused_and_audited(host: Host, asking: Asking, text: str) -> None:
    """The name of a fix is never in the request: it is the socket's."""
    (told,) = asking.all({"name": "canary", "text": text})
    answer, unit = told["told"].splitlines()
    assert "refused" in json.loads(answer)
    assert unit == "unit success exited 0"
    assert json.loads(answer)["refused"] in host.journal("-t", "logmedic-fix", "-n", "20")


@pytest.mark.parametrize("name", ["unknown", "../../etc/passwd", "canary/../canary2", "0123456789ab"])
def test_an_unknown_name_has_no_socket_to_ask(asking: Asking, name: str) -> None:
    with pytest.raises(AssertionError, match=r"FileNotFoundError|NotADirectoryError"):
        asking.all({"name": name, "text": "{}\n"})


def test_nobody_but_the_daemon_can_ask(asking: Asking) -> None:
    with pytest.raises(AssertionError, match="PermissionError"):
        asking.all({"name": "canary", "text": "{}\n"}, user="app")


def test_a_hundred_quick_requests_are_refused_and_audited(host: Host, asking: Asking) -> None:
    results = asking.all(*[{"rule": "seldom"}] * 100, options=("--at-once",))
    started = Counter(each["started"] for each in results)
    assert started == {True: 1, False: 99}, Counter(each["detail"] for each in results)
    since = host.journal("--since", "-60s")
    assert "refused: it was asked for too often" in since
    assert since.count("refused: it was asked for too often") + since.count("Too many incoming connections") >= 99


def test_a_socket_that_was_asked_too_often_still_answers_the_canary(asking: Asking) -> None:
    assert asking.armed()["armed"]


# -- bounds ------------------------------------------------------------------------------------------------------------


def test_f54_a_step_that_ignores_term_is_killed_at_its_time(asking: Asking) -> None:
    assert asking.one("slow")["detail"] == "killed after 1 s"


def test_a_step_that_stops_its_runner_is_ended_by_the_service_manager(asking: Asking) -> None:
    result = asking.one("stops-its-runner")
    assert result["exit_code"] is None
    assert "killed by the service manager after its time" in result["detail"]


def test_a_step_that_kills_its_runner_has_not_succeeded_and_dies_with_it(host: Host, asking: Asking) -> None:
    result = asking.one("kills-its-runner")
    assert result["exit_code"] is None
    assert result["detail"].startswith("killed by a signal")
    host.until("gone", "sh", "-c", "pgrep -f 'sleep 9[6]' || echo gone")


def test_f55_a_fork_bomb_is_capped(asking: Asking) -> None:
    assert int(asking.one("bomb")["output"].split()[-1]) <= 18


def test_f57_a_file_is_capped(asking: Asking) -> None:
    assert "SIGXFSZ" in asking.one("file")["detail"]


def test_f57_the_tmp_of_all_fixes_is_capped_and_is_not_the_hosts(host: Host, asking: Asking) -> None:
    """Without a memory controller nothing else would keep a fix from filling /run."""
    result = asking.one("fills-tmp")
    assert "No space left on device\nstopped at 8\n" in result["output"], result
    assert host.run("sh", "-c", "ls -A /run/logmedic_fix_tmp") == ""


def test_f57_memory_of_all_of_it_together_is_capped_and_told_by_the_unit(host: Host, asking: Asking) -> None:
    """Each process stays below the limit, and all of them do not."""
    if "memory" not in host.run("cat", "/sys/fs/cgroup/cgroup.controllers"):
        pytest.skip("NOT SHOWN HERE: this host gives no memory controller of cgroup v2 to a container")
    assert "used more memory than it may" in asking.one("hungry")["detail"]


def test_f62_a_fix_dies_with_the_daemon(host: Host, asking: Asking) -> None:
    asking.begin("long")
    host.until("98", "sh", "-c", "pgrep -fa 'sleep 9[78]'")
    host.run("systemctl", "kill", "--signal=KILL", "asker")
    host.until("gone", "sh", "-c", "pgrep -f 'sleep 9[78]' || echo gone")


# -- networks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "reached"), [("offline", ["unix"]), ("loopback", ["127.0.0.1"]), ("full", ["127.0.0.1", NOT_LOOPBACK])]
)
def test_a_step_reaches_what_it_declared_and_no_more(asking: Asking, rule: str, reached: list[str]) -> None:
    """Unix sockets only where no network of the host, and so none of its abstract sockets, is there."""
    result = asking.one(rule)
    assert result["started"], result
    assert result["output"].split() == reached


def test_loopback_is_refused_where_the_rest_is_not_really_closed(host: Host, asking: Asking) -> None:
    unit = f"/etc/systemd/system/logmedic-fix-{asking.name_of('loopback')}@.service"
    host.run("sed", "-i", "s/^IPAddress.*//", unit)
    host.run("systemctl", "daemon-reload")
    result = asking.one("loopback")
    assert not result["started"]
    assert "the filter of addresses is not on here" in result["detail"]
    host.logmedic("install", "fixes")
    assert asking.one("loopback")["started"]


# -- installing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hole", "escape"),
    [
        (
            "s/^NoNewPrivileges=.*//; s/^SystemCall.*//; s/^Restrict.*//; s/^Lock.*//; s/^Memory.*//; s/^Protect.*//; "
            "s/^Private[DMI].*//",
            "escaped: ",
        ),
        (
            "s,^RootDirectory=.*,,; s,^Inaccessible.*,,; s,^BindPaths.*,,; s,^TemporaryFileSystem.*,,",
            "sees the rest of the host",
        ),
        ("s/^DynamicUser=.*/User=root/; s/^PrivateUsers=.*//", "it is root"),
    ],
    ids=["calls", "files", "user"],
)
def test_i8_whatever_is_open_the_canary_finds_it(host: Host, asking: Asking, hole: str, escape: str) -> None:
    host.run("sed", "-i", hole, "/etc/systemd/system/logmedic-fix-canary@.service")
    host.run("systemctl", "daemon-reload")
    arming = asking.armed()
    host.logmedic("install", "fixes")
    assert not arming["armed"]
    assert escape in arming["reason"]


def test_what_is_installed_is_what_the_rules_need(host: Host) -> None:
    assert "is what the rules need" in host.logmedic("install", "fixes", "--check")


def test_a_hole_in_the_sandbox_is_found_out_and_disarms(host: Host, asking: Asking) -> None:
    unit = "/etc/systemd/system/logmedic-fix-canary@.service"
    holes = "s/^PrivateNetwork=.*/PrivateNetwork=no/; s/^RestrictAddressFamilies=.*//; s/^IPAddressDeny=.*//"
    host.run("sed", "-i", holes, unit)
    host.run("systemctl", "daemon-reload")
    arming = asking.armed()
    assert not arming["armed"]
    assert "escaped: it could connect to the host's loopback" in arming["reason"]
    assert "changed" in host.logmedic("install", "fixes", "--check", check=False)
    host.logmedic("install", "fixes")
    assert asking.armed()["armed"]


def test_a_changed_rule_is_refused_until_it_is_installed(host: Host, asking: Asking) -> None:
    told = host.run("cat", "/etc/logmedic/rules.d/tests.yaml")
    host.put("/etc/logmedic/rules.d/tests.yaml", told.replace("run: [/usr/bin/true]", "run: [/usr/bin/id]"))
    assert "sudo logmedic install fixes" in asking.armed()["refused"]["seldom"]
    assert not asking.one("seldom")["started"]
    host.logmedic("install", "fixes")
    assert asking.armed()["refused"] == {}
    assert "uid=" in asking.one("seldom")["output"]
    host.put("/etc/logmedic/rules.d/tests.yaml", told)
    host.logmedic("install", "fixes")


def test_only_root_installs(host: Host) -> None:
    ran = host.ran("/opt/logmedic/bin/logmedic", "install", "fixes", user="app")
    assert ran.returncode == 1
    assert "sudo logmedic install fixes" in ran.stdout


def test_a_runner_that_others_could_change_installs_nothing(host: Host) -> None:
    runner = "/opt/logmedic/lib/python3.11/site-packages/logmedic/fixrun/serve.py"
    host.run("chmod", "666", runner)
    try:
        ran = host.ran("/opt/logmedic/bin/logmedic", "install", "fixes")
        assert ran.returncode == 1
        assert f"others can write to {runner}" in ran.stdout
    finally:
        host.run("chmod", "644", runner)


@pytest.mark.parametrize("umask", ["077", "002", "000"])
def test_root_may_have_any_umask(host: Host, asking: Asking, umask: str) -> None:
    host.logmedic("install", "fixes", "--remove")
    host.run("sh", "-c", f"umask {umask}; /opt/logmedic/bin/logmedic install fixes")
    assert asking.armed()["armed"]
    assert host.run("find", "/var/lib/logmedic-fix", "/etc/logmedic/fixes", "-perm", "/022") == ""


def test_two_installations_at_once_leave_a_whole_one(host: Host, asking: Asking) -> None:
    host.run("sh", "-c", "for n in 1 2 3; do /opt/logmedic/bin/logmedic install fixes & done; wait", check=False)
    assert "is what the rules need" in host.logmedic("install", "fixes", "--check")
    assert asking.armed()["armed"]


def test_all_of_it_can_be_taken_away_and_put_back(host: Host, asking: Asking) -> None:
    host.logmedic("install", "fixes", "--remove")
    paths = (
        "/etc/logmedic/fixes/.[!.]* /etc/logmedic/fixes/* /etc/systemd/system/*logmedic[-_]fix* /run/logmedic-fix "
        "/var/lib/logmedic-fix"
    )
    assert host.run("sh", "-c", f"ls -d {paths} 2>/dev/null", check=False) == ""
    assert host.run("systemctl", "list-units", "--all", "--no-legend", "logmedic-fix*.socket").strip() == ""
    assert "the fixes are not installed" in asking.armed()["reason"]
    host.logmedic("install", "fixes")
    assert asking.armed()["armed"]


@pytest.mark.parametrize("path", ["/usr/lib/battery/reach", "/usr/lib/battery"])
def test_f60_what_others_can_write_by_now_is_refused_and_audited(host: Host, asking: Asking, path: str) -> None:
    mode = host.run("stat", "-c", "%a", path).strip()
    host.run("chmod", "o+w", path)
    try:
        result = asking.one("offline")
    finally:
        host.run("chmod", mode, path)
    assert not result["started"]
    assert f"refused: others can write to {path}: chmod go-w" in host.journal("-t", "logmedic-fix", "-n", "5")
    assert asking.one("offline")["started"]


def test_the_start_of_a_fix_takes_so_long(asking: Asking) -> None:
    """Of whole requests of a program that does nothing; shown with -s, and far from any limit."""
    request = {"rule": "mend", "captures": {"what": "x"}}
    times = sorted(each["took_s"] for each in asking.all(*[request] * 20))
    text = json.dumps({"rule": "try", "captures": {"name": "nothing"}}) + "\n"
    answered = sorted(each["answered_s"] for each in asking.all(*[{"name": asking.name_of("try"), "text": text}] * 20))
    print(f"unit tier: p50 {answered[10] * 1000:.0f} ms to the answer, {times[10] * 1000:.0f} ms with the verdict")
    assert times[10] < 2
