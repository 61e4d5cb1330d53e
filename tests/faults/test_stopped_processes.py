"""Processes that are stopped (SIGSTOP) and go on later, as in a debugger or on a host without time: the daemon itself,
and those that it asks for something."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from alerts.servers import HttpServer
from crash.process import until
from faults.children import STORE_HELPER, running
from faults.scene import Scene
from faults.test_killed_children import ALERT_WORKER, telling
from logmedic.cli.client import Client
from logmedic.model.errors import TransientError
from logmedic.runtime.opening import LONG_S

JOURNALCTL = """\
#!/bin/sh
# A journal that says one thing, and then waits.
echo '{"__CURSOR":"c1","__REALTIME_TIMESTAMP":"1795600000000000","MESSAGE":"all is well","SYSLOG_IDENTIFIER":"shop"}'
exec sleep 600
"""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.close()


def test_f32_a_daemon_that_was_stopped_goes_on_where_it_was(scene: Scene) -> None:
    """Nothing was lost meanwhile, and nothing is done twice because of it."""
    scene.daemon.start()
    scene.daemon.answers()
    scene.write()
    scene.until_mended()
    for _ in range(3):
        scene.write()
        os.kill(scene.pid(), signal.SIGSTOP)
        scene.write(2)
        scene.log.rename(f"{scene.log}.1")
        scene.write()
        assert scene.daemon.ask("status", wait_s=0.5) is None
        os.kill(scene.pid(), signal.SIGCONT)
        scene.until_mended()
    scene.daemon.stop()
    assert scene.differences() == []


def reads_the_store_for_ever(scene: Scene) -> int:
    """A start after a kill. The pid of who reads, as from a disk that does not answer."""
    scene.leaves_a_log_behind()
    scene.daemon.start()
    until(lambda: bool(running(scene.pid(), STORE_HELPER)), 30, scene.daemon.said)
    (reader,) = running(scene.pid(), STORE_HELPER)
    os.kill(reader, signal.SIGSTOP)
    return reader


def test_f31_a_stop_does_not_wait_until_a_store_is_read_through(scene: Scene) -> None:
    reader = reads_the_store_for_ever(scene)
    scene.daemon.stop()
    assert not Path(f"/proc/{reader}").exists()
    scene.daemon.start()
    scene.until_mended()
    scene.daemon.stop()
    assert scene.damaged() == []
    assert scene.differences() == []


@pytest.mark.slow
def test_f47_a_start_that_reads_a_store_through_for_long_says_so_and_goes_on(scene: Scene) -> None:
    reader = reads_the_store_for_ever(scene)
    until(lambda: "store_opens_slowly" in scene.daemon.said(), LONG_S + 20, scene.daemon.said)
    with pytest.raises(TransientError, match="the store is still being opened"):
        Client(scene.home / "state" / "logmedic.sock", wait_s=10).get("status")
    os.kill(reader, signal.SIGCONT)
    scene.until_mended()
    assert "store_opened" in scene.daemon.said()
    scene.daemon.stop()
    assert scene.differences() == []


def test_f54_a_stopped_step_is_killed_at_its_limit_and_others_run_then(scene: Scene) -> None:
    rules = scene.home / "rules" / "rules.yaml"
    rules.write_text(rules.read_text().replace("timeout: 20s", "timeout: 2s"))
    slow = scene.home / "bin" / "release"
    slow.write_text(slow.read_text().replace("echo", "[ $1 = 1 ] && kill -STOP $$\necho"))
    scene.daemon.start()
    scene.daemon.answers()
    scene.write(2)
    until(lambda: scene.ran() == {"2": 1}, 40, scene.daemon.said)
    until(lambda: not running(scene.pid(), "bin/release"), 20, scene.daemon.said)
    scene.daemon.stop()
    assert scene.differences() == []


def test_f68_a_stopped_alert_worker_holds_up_nothing(tmp_path: Path) -> None:
    """It is given up at its deadline; until then everything else goes on, and a stop does not wait for it."""
    with HttpServer() as server:
        scene = telling(tmp_path, server)
        try:
            scene.daemon.start()
            scene.daemon.answers()
            until(lambda: not running(scene.pid(), ALERT_WORKER), 20, scene.daemon.said)
            scene.log.write_text("smoke 1\n")
            until(lambda: bool(running(scene.pid(), ALERT_WORKER)), 20, scene.daemon.said)
            for each in running(scene.pid(), ALERT_WORKER):
                os.kill(each, signal.SIGSTOP)
            scene.wrote.lines += 1
            scene.write(2)
            scene.until_counted()
            until(lambda: scene.ran().total() == 2, 40, scene.daemon.said)
            workers = running(scene.pid(), ALERT_WORKER)
            scene.daemon.stop()
            assert [each for each in workers if Path(f"/proc/{each}").exists()] == []
        finally:
            scene.close()


def test_f62_a_probed_server_that_is_stopped_makes_no_fix_a_success(tmp_path: Path) -> None:
    """Its port is open, and nobody answers."""
    program = "import http.server as h; s = h.HTTPServer(('127.0.0.1', 0), h.SimpleHTTPRequestHandler); "
    program += "print(s.server_port, flush=True); s.serve_forever()"
    server = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd="/")
    assert server.stdout is not None
    port = int(server.stdout.readline())
    scene = Scene(tmp_path)
    rules = tmp_path / "rules" / "rules.yaml"
    before, _, after = rules.read_text().partition("      verify:")
    asked = f" {{ http: {{ get: 'http://127.0.0.1:{port}/', within: 3s, every: 500ms }} }}\n"
    rules.write_text(f"{before}      verify:{asked}{after.partition(chr(10))[2]}")
    try:
        os.kill(server.pid, signal.SIGSTOP)
        scene.daemon.start()
        scene.daemon.answers()
        scene.write()
        until(lambda: scene.ran().total() == 1, 30, scene.daemon.said)
        until(
            lambda: any(row["verdict"] in ("not_fixed", "unknown") for row in scene.ask("fixes") or []),
            30,
            scene.daemon.said,
        )
        scene.daemon.stop()
        assert scene.differences() == []
    finally:
        scene.close()
        os.kill(server.pid, signal.SIGCONT)
        server.kill()
        server.wait()
        server.stdout.close()
