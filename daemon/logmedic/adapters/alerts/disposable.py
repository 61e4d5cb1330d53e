"""One question to a process that lives for it alone: a thread cannot be killed, a process can (F68)."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

_REAP_S = 5.0
_PASSED_ON = frozenset(
    {
        *("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    }
)
"""Variables of the environment that reach servers. The rest may hold settings, and those hold secrets."""


class WorkerLost(Exception):
    """A worker ended without a whole answer."""


def surroundings(environment: Mapping[str, str] | None) -> dict[str, str]:
    """What a worker gets of `environment`."""
    wanted = {name: value for name, value in (environment or {}).items() if name in _PASSED_ON}
    return {"PATH": os.defpath, "LANG": "C.UTF-8", **wanted}


async def ask(
    module: str, request: Mapping[str, Any], *, python: str, environment: Mapping[str, str]
) -> dict[str, Any]:
    """JSON in, JSON out. `environment` is all that it gets. Raises OSError when it does not start, WorkerLost when it
    does not answer. It is gone on return, on every way; a cancel kills it."""
    process = await asyncio.create_subprocess_exec(
        *(python, "-I", "-X", "utf8", "-m", module),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
        env=dict(environment),
    )
    try:
        answer, _ = await process.communicate(json.dumps(request).encode())
    finally:
        await _end(process)
    return _parsed(answer, process.returncode)


def _parsed(answer: bytes, status: int | None) -> dict[str, Any]:
    try:
        parsed = json.loads(answer)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise WorkerLost(f"the process ended without an answer (status {status})")
    return parsed


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill the process group when it still runs, and reap. The group's id is the worker's pid: it leads its session."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        # A child that left the group could hold the pipe, on which wait() waits: not for ever.
        with suppress(TimeoutError):
            async with asyncio.timeout(_REAP_S):
                await process.wait()
