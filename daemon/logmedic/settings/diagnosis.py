"""`diagnosis`: the language model that is asked about new issues."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from pydantic import Field, SecretStr, model_validator

from logmedic.settings.endpoints import endpoint_problem
from logmedic.settings.parts import Duration, Part


class DiagnosisSettings(Part):
    """Who explains known issues that are new; nobody unless `url` is set."""

    url: str = Field(default="", max_length=2000)
    """Of an endpoint that speaks OpenAI's protocol: https://llm.example/v1, http://127.0.0.1:11434/v1."""
    model: str = Field(default="", max_length=200)
    """A name that the endpoint knows."""
    key: SecretStr = SecretStr("")
    """Write it as ${file:/path}, ${credential:name} or ${env:NAME}."""
    timeout: Duration = timedelta(minutes=1)
    """For all of a question."""
    max_input: int = Field(default=8000, ge=3000, le=400_000)
    """Characters that are sent, instructions included."""
    max_tokens: int = Field(default=2000, ge=100, le=100_000)
    """Of an answer."""
    per_day: int = Field(default=20, ge=1, le=10_000)
    """Questions; days are those of UTC."""
    tokens_per_day: int = Field(default=100_000, ge=1000)
    """Sent and received; the question that passes it is the last of its day."""
    allow_plain: bool = False
    """Let log text and key go over the network unencrypted (http:// to another host)."""

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        if self.url:
            problem = endpoint_problem(self.url, self.key.get_secret_value(), allow_plain=self.allow_plain)
            if problem or not self.model:
                raise ValueError(problem or "`model` is missing; write the name of one that the endpoint knows")
        return self

    @property
    def base(self) -> str:
        """The address before /chat/completions."""
        return self.url.rstrip("/").removesuffix("/chat/completions").rstrip("/")
