"""One question to one endpoint on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from alerts.servers import Answer
from logmedic.adapters.diagnosis.chat import ChatDiagnoser, Endpoint
from logmedic.model.diagnosis import Diagnosis, Question
from logmedic.runtime.clock import SystemClock

KEY = "key-hunter2canary"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
QUESTION = Question(
    "issue-1",
    "pool exhausted",
    "shop",
    "pool <*> exhausted after <n> s",
    ("2026-11-25 shop[7]: ERROR pool main exhausted after 30 s",),
    12,
    NOW - timedelta(hours=1),
    NOW,
    nearby=("2026-11-25 shop[7]: INFO 50 clients",),
    host_facts=("Debian 12",),
)
RULE = """\
version: 1
rules:
  - id: shop-pool-exhausted
    title: the pool is exhausted
    severity: medium
    match:
      pattern: 'pool \\S+ exhausted after \\d+ s'
    tests:
      - name: the line is found
        lines: ['2026-11-25 shop[7]: ERROR pool main exhausted after 30 s']
        expect: { fires: 1 }
"""
FIX = "    fix: { mode: auto, steps: [{ name: go, run: [/bin/sh, -c, reboot] }], verify: { quiet: 60s } }\n"


def said(content: Any, *, finish: str = "stop", usage: Any = None) -> Answer:
    """What an endpoint of the protocol answers when the model wrote `content`."""
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
    counted = {"prompt_tokens": 700, "completion_tokens": 90} if usage is None else usage
    whole = {"id": "x", "object": "chat.completion", "model": "m", "choices": [choice], "usage": counted}
    return Answer(200, json.dumps(whole).encode(), {"Content-Type": "application/json"})


def diagnosis_json(**more: Any) -> str:
    told = {"likely_cause": "Connections are not given back.", "checks": ["count them: ss -s"], "suggested_rule": RULE}
    return json.dumps({**told, **more})


def ask(
    url: str,
    question: Question = QUESTION,
    *,
    environment: Mapping[str, str] | None = None,
    deadline_s: float = 20.0,
    **more: Any,
) -> Diagnosis:
    endpoint = replace(Endpoint(url, "small", KEY, deadline_s), **more)
    diagnoser = ChatDiagnoser(endpoint, clock=SystemClock(), nonce=lambda: "n0nce" * 5, environment=environment)
    return asyncio.run(diagnoser.diagnose(question))
