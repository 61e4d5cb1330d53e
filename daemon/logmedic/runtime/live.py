"""What a reload swaps: the rules in force, and everything built from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from logmedic.core.matcher import Matcher
from logmedic.model.fix import Arming
from logmedic.model.policy import Policy
from logmedic.model.rule import RuleSet


@dataclass(frozen=True, slots=True)
class Generation:
    """One consistent set: the rules, the policy that names them, and the matcher compiled from them."""

    ruleset: RuleSet
    policy: Policy
    matcher: Matcher


class Live:
    """The one reference to the current generation. Written by the reload alone, read by everybody at each use."""

    def __init__(self, first: Generation) -> None:
        self.current = first

    def swap(self, following: Generation) -> None:
        self.current = following


def build(ruleset: RuleSet, policy: Policy, make_matcher: Callable[[RuleSet], Matcher], arming: Arming) -> Generation:
    """All of the new; may take as long as compiling takes. Touches nothing that is live."""
    return Generation(ruleset, policy.with_rules(ruleset.rules, arming), make_matcher(ruleset))
