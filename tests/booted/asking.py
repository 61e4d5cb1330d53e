"""Asks installed fixes as the daemon does; run in the container, by the daemon's user.

Standard input: a list of requests (`rule`, `captures`; or `name` and what to send raw: `text`). Standard output: what
came of each. `--at-once`: all together; `--arm`: only whether the tier is armed.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

from logmedic.adapters.fixes.ground import interpreter, package
from logmedic.adapters.fixes.unitbroker import UnitBroker
from logmedic.core.targets import filled
from logmedic.model.fix import FixAttempt
from logmedic.model.rule import Rule
from logmedic.rulesets import make_rule_loader
from logmedic.settings import load_settings


async def raw(name: str, text: str) -> dict[str, Any]:
    began = time.perf_counter()
    reader, writer = await asyncio.open_unix_connection(f"/run/logmedic-fix/{name}.sock")
    writer.write(text.encode())
    first = await reader.readline()
    answered_s = time.perf_counter() - began
    told = first + await reader.read()
    writer.close()
    return {"told": told.decode(), "answered_s": answered_s}


async def one(broker: UnitBroker, rules: dict[str, Rule], request: dict[str, Any]) -> dict[str, Any]:
    if "text" in request:
        return await raw(request["name"], request["text"])
    rule = rules[request["rule"]]
    assert rule.fix is not None
    step = filled(rule.fix.steps[0], request.get("captures", {}))
    attempt = FixAttempt("a", "i", rule.id, "", rule.id, 0, "x", 1, (), datetime.now(UTC))
    began = time.perf_counter()
    result = dataclasses.asdict(await broker.run(step, attempt))
    return {**result, "took_s": time.perf_counter() - began}


async def main() -> object:
    loaded = make_rule_loader(load_settings(), prove=False).load().rules
    rules = {rule.id: rule for rule in loaded}
    broker = UnitBroker(python=interpreter(), package=package())
    if "--arm" in sys.argv:
        arming = await broker.arm(loaded)
        return {
            "armed": arming.armed,
            "sandbox": arming.sandbox,
            "reason": arming.reason,
            "refused": dict(arming.refused),
        }
    requests = json.load(sys.stdin)
    if "--at-once" in sys.argv:
        return await asyncio.gather(*(one(broker, rules, each) for each in requests))
    return [await one(broker, rules, each) for each in requests]


print(json.dumps(asyncio.run(main())))
