"""`python -I -S serve.py NAME`: one request for the installed fix NAME, on the socket that is standard input. Started
by the service manager inside the sandbox, as the user of the fix.

Request: one line of JSON: `rule` (its id; empty: any), `captures` (texts by name), `dry` (say only what would be done),
`timeout_s` (shorten what was installed). Answer: one line: a result as step.run gives it, or `refused` (why). Whatever
is asked, what runs is what root installed; each request leaves a line in the journal. Standard library only."""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

sys.path.insert(0, __file__.rpartition("/logmedic/fixrun/")[0])  # nothing else leads there: -I -S

from logmedic.fixrun import egress, owned, rate, step, values

CATALOGUE = "/etc/logmedic/fixes"
FORM = 1
"""Of the entries; another one was written by another version."""
REQUEST_LIMIT = 64 * 1024
REQUEST_S = 5.0
_NAME = re.compile(r"[0-9a-f]{12}|canary", re.ASCII)
_KEYS: dict[str, type | tuple[type, ...]] = {"rule": str, "captures": dict, "dry": bool, "timeout_s": (int, float)}
_DUMPABLE = 4
_OWN_TASKS = 2
"""The interpreter that asks, and nobody else: limits count it too."""


class Refused(Exception):
    """Of a request; its text says why."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a test has elsewhere. `meter`: the descriptor of rate.take. `owners`: user ids that may own programs and
    entries."""

    catalogue: str = CATALOGUE
    meter: int = 1
    owners: frozenset[int] = owned.ROOT


def main() -> None:
    step.control(_DUMPABLE, 0)  # or a fix, which is of our user, could write to the socket
    step.follow_parent(os.getppid())
    with socket.socket(fileno=0) as connection:
        answer(connection, sys.argv[1], Ground())


def answer(connection: socket.socket, name: str, ground: Ground) -> None:
    """Of one request. Nothing is raised for what it says, or for a peer that is gone."""
    request: Mapping[str, Any] = {}
    try:
        entry = load(name, ground)
        request = read(connection)
        check(request, entry, ground)
        said = rehearsed(request, entry) if request["dry"] else run(connection, request, entry)
    except Refused as refusal:
        audit(4, name, request, f"refused: {refusal}")
        said = {"refused": str(refusal)}
    try:
        connection.sendall(json.dumps(said).encode() + b"\n")
    except OSError as error:
        audit(4, name, request, f"nobody took the answer: {error.strerror}")


def audit(level: int, name: str, request: Mapping[str, Any], what: str) -> None:
    """A line in the journal; `level` as syslog counts them."""
    captures = request.get("captures") or {}
    told = [f"{values.shown(str(key))}={values.shown(str(each))}" for key, each in list(captures.items())[:20]]
    rule = values.shown(str(request.get("rule", "")))
    print(f"<{level}>fix {values.shown(name)} of {rule}", *told, what, file=sys.stderr, flush=True)


# -- what was installed ------------------------------------------------------------------------------------------------


def load(name: str, ground: Ground) -> dict[str, Any]:
    """The entry. Raises Refused."""
    if not _NAME.fullmatch(name):
        raise Refused("this is no name of a fix")
    path = f"{ground.catalogue}/{name}.json"
    if wrong := owned.flaw(path, ground.owners):
        raise Refused(wrong)
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), encoding="utf-8") as file:
            entry = json.load(file)
    except (OSError, ValueError) as error:
        raise Refused(f"{path} cannot be read: {error}") from None
    if not isinstance(entry, dict) or entry.get("form") != FORM or entry.get("name") != name:
        raise Refused(f"{path} is of another version; type: sudo logmedic install fixes")
    return entry


# -- what is asked -----------------------------------------------------------------------------------------------------


def read(connection: socket.socket) -> dict[str, Any]:
    """The request, with what it may leave out. Raises Refused."""
    connection.settimeout(REQUEST_S)
    told = b""
    try:
        while not told.endswith(b"\n"):
            chunk = connection.recv(REQUEST_LIMIT + 1 - len(told))
            told += chunk
            if not chunk or len(told) > REQUEST_LIMIT:
                raise Refused("the request is not whole" if not chunk else "the request is too long")
    except TimeoutError:
        raise Refused("no request came in time") from None
    except OSError as error:
        raise Refused(f"no request came: {error.strerror}") from None
    finally:
        connection.settimeout(None)
    return parsed(told)


def parsed(told: bytes) -> dict[str, Any]:
    """Raises Refused."""
    try:
        request = json.loads(told)
    except (ValueError, RecursionError):
        raise Refused("the request is no JSON") from None
    if not isinstance(request, dict) or not set(request) <= set(_KEYS):
        raise Refused("the request has keys that are not known")
    whole = {"rule": "", "captures": {}, "dry": False, "timeout_s": float("inf"), **request}
    if set(whole) != set(_KEYS) or not all(isinstance(whole[key], kind) for key, kind in _KEYS.items()):
        raise Refused("the request is not of the form that is expected")
    if not whole["timeout_s"] > 0:
        raise Refused("the request leaves no time")
    return whole


def _refusal(request: Mapping[str, Any], rules: Mapping[str, Any]) -> str:
    """What is wrong with the rule and its parameters; the rules that share a step may differ in those."""
    asked = [rules[name] for name in rules if request["rule"] in ("", name)]
    wrong = [values.refusal(request["captures"], rule["params"]) for rule in asked]
    return "" if "" in wrong else next(iter(wrong), "it is not installed for this rule")


def check(request: Mapping[str, Any], entry: Mapping[str, Any], ground: Ground) -> None:
    """Raises Refused."""
    if not rate.take(ground.meter, entry["rate"]["burst"], entry["rate"]["per_hour"]):
        raise Refused("it was asked for too often")
    if wrong := _refusal(request, entry["rules"]):
        raise Refused(wrong)
    for path in entry["nobodys"]:
        if wrong := owned.flaw(path, ground.owners | _owner(entry), program=path == entry["argv"][0]):
            raise Refused(wrong)
    if entry["network"] == "loopback" and not egress.is_blocked():
        raise Refused("the filter of addresses is not on here (it needs cgroup v2), and `network: loopback` needs it")


def _owner(entry: Mapping[str, Any]) -> frozenset[int]:
    """A step that runs as somebody may run what is his."""
    return frozenset({os.getuid()}) if entry["owned"] else frozenset()


def argv_of(request: Mapping[str, Any], entry: Mapping[str, Any]) -> list[str]:
    """With the captures filled in. An act's arguments are one JSON text, so that no value can end it."""
    argv: list[str] = values.filled(entry["argv"], request["captures"])
    if entry["act"] is not None:
        argv = [*argv, json.dumps(values.filled(entry["act"], request["captures"]))]
    return argv


# -- what is done ------------------------------------------------------------------------------------------------------


def rehearsed(request: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    audit(5, entry["name"], request, "rehearsed")
    if entry["act"] is not None:
        return step.run({**job_of(request, entry), "argv": [*argv_of(request, entry), "--dry"]})
    output = " ".join(argv_of(request, entry))
    return {"exit_code": 0, "duration_s": 0.0, "output": output, "detail": "", "started": False}


def run(connection: socket.socket, request: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    audit(5, entry["name"], request, "accepted")
    end_with(connection)
    result = step.run(job_of(request, entry))
    audit(5, entry["name"], request, f"done: exit {result['exit_code']} {result['detail']}")
    return result


def job_of(request: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """Of step.run. The sandbox is around us already."""
    limits = entry["limits"]
    return {
        "argv": argv_of(request, entry),
        "bwrap": "",
        "uid": None,
        "isolation": [],
        "write": [],
        "read": [],
        **limits,
        "tasks": limits["tasks"] + _OWN_TASKS,
        "timeout_s": min(limits["timeout_s"], request["timeout_s"]),
    }


def end_with(connection: socket.socket) -> None:
    """Take the step along, and end, once the daemon is gone or wants no result any more (F62). A signal tells, not a
    thread: after one, no child can be started safely."""
    signal.signal(signal.SIGIO, lambda *_: _end_if_gone(connection))
    fcntl.fcntl(connection, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(connection, fcntl.F_SETFL, fcntl.fcntl(connection, fcntl.F_GETFL) | os.O_ASYNC)
    _end_if_gone(connection)


def _end_if_gone(connection: socket.socket) -> None:
    waiting = select.poll()
    waiting.register(connection, select.POLLRDHUP | select.POLLHUP)
    if waiting.poll(0):
        os.kill(os.getpid(), signal.SIGTERM)  # whose handler ends the step first


if __name__ == "__main__":
    main()
