"""The interpreter, and the wheels that the daemon imports (F41)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from logmedic.cli.doctor.finding import Finding, unknown, warning, well, wrong

OLDEST = (3, 11)
IMPORT_S = 60.0
WHEELS = {
    "aiofiles": "aiofiles",
    "apprise": "apprise",
    "backports.zstd": "backports.zstd",
    "click": "click",
    "dbus_fast": "dbus-fast",
    "duckdb": "duckdb",
    "h11": "h11",
    "hyperscan": "hyperscan",
    "inotify_simple": "inotify-simple",
    "jinja2": "jinja2",
    "prometheus_client": "prometheus-client",
    "pydantic": "pydantic",
    "pydantic_settings": "pydantic-settings",
    "regex": "regex",
    "rich": "rich",
    "sse_starlette": "sse-starlette",
    "stamina": "stamina",
    "starlette": "starlette",
    "structlog": "structlog",
    "uvicorn": "uvicorn",
    "watchdog": "watchdog",
    "yaml": "PyYAML",
}
"""What is imported: the name of its distribution."""
SPARE = {"hyperscan": "a plain scanner takes its place: matching is many times slower"}
"""What the daemon works without."""
_PROGRAM = """
import importlib, importlib.metadata, json, sys
for module, distribution in json.loads(sys.argv[1]):
    told = {"module": module}
    try:
        importlib.import_module(module)
        told["version"] = importlib.metadata.version(distribution)
    except BaseException as error:
        told["error"] = f"{type(error).__name__}: {error}"[:300]
    print(json.dumps(told), flush=True)
"""
"""One line a wheel, so that it is known at which one an interpreter crashed."""


@dataclass(frozen=True, slots=True)
class Imported:
    """`version` is empty when it could not be imported, and `error` says why."""

    module: str
    version: str = ""
    error: str = ""


def wheels_here(version: Sequence[int] = sys.version_info[:3]) -> dict[str, str]:
    """Of `version` of Python: 3.14 has zstd itself."""
    return {name: each for name, each in WHEELS.items() if name != "backports.zstd" or tuple(version) < (3, 14)}


def imported(
    wheels: Mapping[str, str], python: str = sys.executable, environment: Mapping[str, str] | None = None
) -> Iterator[Imported]:
    """Imported by another interpreter, which may crash at one of them: then the rest is tried without it. Raises
    OSError when there is no such interpreter."""
    left = dict(wheels)
    while left:
        told, ended = _tried(left, python, environment)
        for each in told:
            left.pop(each.module, None)
            yield each
        if left:
            module = next(iter(left))
            left.pop(module)
            yield Imported(module, error=f"the interpreter {ended} while it imported it")


def _tried(wheels: Mapping[str, str], python: str, environment: Mapping[str, str] | None) -> tuple[list[Imported], str]:
    """And how the interpreter ended."""
    try:
        ran = subprocess.run(  # noqa: S603
            [python, "-W", "ignore", "-c", _PROGRAM, json.dumps(list(wheels.items()))],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=None if environment is None else dict(environment),
            timeout=IMPORT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        return list(_read(late.stdout or b"")), f"gave no answer within {IMPORT_S:g} s"
    ended = f"was killed by signal {-ran.returncode}" if ran.returncode < 0 else f"ended with code {ran.returncode}"
    return list(_read(ran.stdout)), ended


def _read(output: bytes) -> Iterator[Imported]:
    """A wheel may print something of its own."""
    for line in output.splitlines():
        if line.startswith(b'{"module"'):
            yield Imported(**json.loads(line))


def of_version(version: Sequence[int], executable: str) -> Finding:
    shown = ".".join(map(str, version[:3]))
    if tuple(version[:2]) < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        return wrong("python", f"{shown} ({executable})", f"install Python {wanted} or newer, and logmedic into it")
    return well("python", f"{shown} ({executable})")


def of_wheels(found: Sequence[Imported], python: str) -> Iterator[Finding]:
    sound = {each.module: each.version for each in found if not each.error}
    if sound:
        engine = f"; hyperscan {sound['hyperscan']}" if "hyperscan" in sound else ""
        yield well("wheels", f"{len(sound)} of {len(found)} can be imported{engine}")
    for each in found:
        if each.error:
            distribution = WHEELS.get(each.module, each.module)
            repair = f"{python} -m pip install --force-reinstall --no-deps {distribution}"
            name, spare = f"wheel {distribution}", SPARE.get(each.module, "")
            if spare:
                yield warning(name, f"{each.error}; {spare}", repair)
            else:
                yield wrong(name, f"it cannot be imported: {each.error}", repair)


def look(python: str = sys.executable, environment: Mapping[str, str] | None = None) -> Iterator[Finding]:
    yield of_version(sys.version_info[:3], sys.executable)
    try:
        found = list(imported(wheels_here(), python, environment))
    except OSError as error:
        yield unknown("wheels", f"{python} does not start: {error.strerror}")
        return
    yield from of_wheels(found, python)
