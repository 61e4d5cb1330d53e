"""What a reload swaps: the rules in force, and everything built from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

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

    def armed(self, arming: Arming) -> Generation:
        return replace(self, policy=replace(self.policy, arming=arming))


class Live:
    """The one reference to the current generation. Written by the reload alone, read by everybody at each use."""

    def __init__(self, first: Generation) -> None:
        self.current = first

    def swap(self, following: Generation) -> None:
        self.current = following


class MakeMatcher(Protocol):
    def __call__(self, ruleset: RuleSet, before: Matcher | None = None) -> Matcher:
        """Of the enabled rules; what `before` knows of those that are the same is taken over."""


def build(
    ruleset: RuleSet, policy: Policy, make_matcher: MakeMatcher, arming: Arming, before: Matcher | None = None
) -> Generation:
    """All of the new; may take as long as compiling takes. Touches nothing that is live."""
    return Generation(ruleset, policy.with_rules(ruleset.rules, arming), make_matcher(ruleset, before))
