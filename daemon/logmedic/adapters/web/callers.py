"""Who sends a request, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """`name`: as it is recorded beside what they decide. `door`: how they came in: "socket", "token" or "session".
    `csrf`: what forms of a session must bring back; empty where no browser brings credentials along by itself."""

    name: str
    may_act: bool
    door: str
    csrf: str = ""
