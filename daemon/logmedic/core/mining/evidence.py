"""How many different words must have stood in one place, all else equal, before the place is one of values."""

from __future__ import annotations

from collections.abc import Collection

from logmedic.model.shape import Shape, follows_lead, follows_sign

AFTER_LEAD = 3
"""After a word like `for`, values often stand."""
AFTER_SIGN = 4
"""After `=` or `:`: often a value, but often one of a few that tell kinds apart, as in `state=`."""
NAMES = 3
"""Names like org.example.Job or app.conf are seldom part of what happened."""
ANYWHERE = 6
CAPITALS = 8
"""LOUD words and single letters are mostly states and names of parts: few, and they tell kinds apart."""
SPARSE = 12
"""Where only one word is left to say what happened."""
NEVER = 1_000_000
"""More than there are templates."""


def needed(shape: Shape, at: int, values: Collection[str], left: int) -> int:
    """Different words in the place `at` of `shape`; `values`: those that stood there. `left`: words in other places."""
    if left < 2:
        return SPARSE if left else NEVER
    if any(each.isupper() or len(each) == 1 for each in values):
        return CAPITALS
    if all("." in each for each in values):
        return NAMES
    if follows_lead(shape, at):
        return AFTER_LEAD
    return AFTER_SIGN if follows_sign(shape, at) else ANYWHERE
