"""What explains new issues, from the settings."""

from __future__ import annotations

from pathlib import Path
from secrets import token_hex

from logmedic.adapters.diagnosis.chat import ChatDiagnoser, Endpoint
from logmedic.adapters.rulefiles.suggested import sound_suggestion
from logmedic.model.diagnosis import Limits, Spent
from logmedic.model.rule import RuleSet
from logmedic.ports import Clock
from logmedic.rulesets import make_rule_loader
from logmedic.runtime.diagnosing import Diagnosing, Tell
from logmedic.settings import Settings


def make_diagnosing(settings: Settings, *, clock: Clock, tell: Tell, spent: Spent | None = None) -> Diagnosing | None:
    """None when nobody is to be asked. `spent`: what the diagnoses of today cost (core.diagnosing.spent_on)."""
    asked = settings.diagnosis
    if not asked.url:
        return None
    endpoint = Endpoint(
        url=asked.base,
        model=asked.model,
        key=asked.key.get_secret_value(),
        deadline_s=asked.timeout.total_seconds(),
        max_input=asked.max_input,
        max_tokens=asked.max_tokens,
    )

    def load(path: Path) -> RuleSet:
        return make_rule_loader(settings, [path]).load()

    return Diagnosing(
        diagnoser=ChatDiagnoser(endpoint, clock=clock, nonce=lambda: token_hex(16), environment=settings.surroundings),
        check_rule=lambda text: sound_suggestion(text, load),
        limits=Limits(asked.per_day, asked.tokens_per_day),
        clock=clock,
        tell=tell,
        spent=spent,
    )
