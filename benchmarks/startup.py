"""Scenario 27: what each tier adds to a step that does nothing, beside starting the same program plainly."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.table import Row
from logmedic.adapters.fixes.bubblewrap import BubblewrapRunner
from logmedic.model.fix import FixAttempt, FixResult
from logmedic.model.sandbox import SandboxKind, SandboxSpec
from logmedic.model.step import Action, Command, DropCache, Step

TRUE = "/bin/true"
RUNS = 40
PAUSE_S = 0.15
"""Between runs: the next process of `ready` is started meanwhile, as it is between real fixes."""
ATTEMPT = FixAttempt("a1", "i1", "r1", "", "r1", 0, "x", 1, (), datetime.now(UTC))
Ask = Callable[[], Awaitable[FixResult]]


def startup(_: int) -> Iterator[Row]:
    plain = asyncio.run(_plain())
    base = f"fork and exec of {TRUE}: {_told(plain)}"
    yield from (_row(name, took, plain, base) for name, took in asyncio.run(_here()))
    unit = _unit()
    if unit is None:
        yield Row("27", "start of a step, unit", "not measured: no systemd can be booted here", base)
    else:
        yield _row("unit (systemd in a container)", unit, plain, base)


def _row(name: str, took: list[float], plain: list[float], base: str) -> Row:
    ratio = statistics.median(took) / statistics.median(plain)
    return Row("27", f"start of a step, {name}", _told(took), base, f"{ratio:.1f}x")


def _told(took: list[float]) -> str:
    return f"p50 {statistics.median(took) * 1e3:.1f} ms, p95 {statistics.quantiles(took, n=20)[-1] * 1e3:.1f} ms"


async def _plain() -> list[float]:
    took = []
    for _ in range(RUNS):
        began = time.perf_counter()
        await (await asyncio.create_subprocess_exec(TRUE)).wait()
        took.append(time.perf_counter() - began)
        await asyncio.sleep(PAUSE_S)
    return took


async def _here() -> list[tuple[str, list[float]]]:
    """Of the tiers that need no service manager; `built-in`: the dry run of a step that empties a directory."""
    found = []
    for name, ready, kind in (
        ("no sandbox", False, SandboxKind.NONE),
        ("bubblewrap", False, SandboxKind.SANDBOX),
        ("bubblewrap, one ready", True, SandboxKind.SANDBOX),
    ):
        runner = BubblewrapRunner(ready=ready, allow_unsandboxed=True)
        await runner.arm()
        found.append((name, await _timed(lambda: runner.run(_step(Command((TRUE,)), kind), ATTEMPT))))  # noqa: B023
        if ready:
            with tempfile.TemporaryDirectory(prefix="logmedic-bench-") as room:
                Path(room).chmod(0o755)
                built_in = _step(DropCache(room), kind)
                found.append((f"{name}, built-in", await _timed(lambda: runner.rehearse(built_in))))  # noqa: B023
        await runner.close()
    return found


def _step(action: Action, kind: SandboxKind) -> Step:
    return Step("x", action, timeout=timedelta(seconds=10), sandbox=SandboxSpec(kind=kind))


async def _timed(ask: Ask) -> list[float]:
    took = []
    for _ in range(RUNS):
        began = time.perf_counter()
        result = await ask()
        took.append(time.perf_counter() - began)
        assert result.ok, result
        await asyncio.sleep(PAUSE_S)
    return took


def _unit() -> list[float] | None:
    """Installed fixes, asked for as the daemon does it, one after the other, in a container with a systemd of its
    own. None where that cannot be had."""
    from booted.conftest import Asking, set_up
    from booted.host import booted, why_not

    if why_not():
        return None
    with booted("logmedic-bench") as host:
        set_up(host)
        requests = [{"rule": "mend", "captures": {"what": "nothing"}}] * RUNS
        told = Asking(host).all(*requests)
    assert all(each["exit_code"] == 0 for each in told), told
    return [each["took_s"] for each in told]
