"""A plain application, told over its standard input what happens to it: a JSON list a line, answered by one line.
Its argument: where it keeps what the daemon has not taken, or nothing.

["report", "no room left"]              the report's id
["flush"]                               whether the daemon has taken everything
["call", "payments", "ok"]              what came of a call through a shared breaker: worked, failed, or rejected
["state", "payments"]                   of that breaker
["search", "lamp"]                      what a feature answers whose index is gone"""

from __future__ import annotations

import json
import sys

from logmedic.client import CircuitBreaker, CircuitOpen, configure, fallback, report, requestid

CLIENT = configure(component="packer", spool=sys.argv[1] if len(sys.argv) > 1 else None)
BREAKERS: dict[str, CircuitBreaker] = {}


def breaker(name: str) -> CircuitBreaker:
    """It opens for half a second."""
    return BREAKERS.setdefault(name, CircuitBreaker(name, shared=True, timeout=0.5, component="packer"))


def call(name: str, how: str) -> str:
    try:
        with breaker(name):
            if how != "ok":
                raise ConnectionError(f"{name} {how}")
    except CircuitOpen:
        return "rejected"
    except ConnectionError:
        return "failed"
    return "worked"


def by_index(words: str) -> str:
    raise LookupError(f"the index is gone, looking for {words}")


def by_name(words: str) -> str:
    return f"names with {words}"


search = fallback(by_index, by_name, feature="search", component="packer")


def answer(what: str, *words: str) -> object:
    match what:
        case "report":
            with requestid.bound(requestid.new()):
                return report(RuntimeError(words[0]), action="pack")
        case "flush":
            return CLIENT.flush(20)
        case "call":
            return call(*words)
        case "state":
            return breaker(words[0]).state
        case "search":
            return search(words[0])
    raise ValueError(what)


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))), flush=True)
