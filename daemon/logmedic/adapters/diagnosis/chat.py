"""Asks any endpoint that speaks OpenAI's chat protocol (POST {url}/chat/completions)."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib import import_module
from typing import Any

from logmedic.core.diagnosing import answer_of, messages_of, tokens_of
from logmedic.core.secrets import MASK
from logmedic.model.diagnosis import Diagnosis, Question
from logmedic.ports import Clock

POSTING = "logmedic.adapters.diagnosis.posting"
RETRY_S = 60.0
"""After a failure that passes, where the endpoint names no time."""
RETRY_AFTER_MAX_S = 86_400.0
_PASSES = frozenset({408, 409, 425, 429})
_WORD = re.compile(r"[a-z][a-z0-9_]{2,40}\Z")
_OTHER_NAME = b"max_completion_tokens"
"""How some models want to have max_tokens called; they refuse the old name, and their refusal names the new one."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`url`: up to and without /chat/completions. `key`: a secret, empty where none is wanted. `max_input`: characters,
    `max_tokens`: of an answer, `deadline_s`: for all of a question."""

    url: str
    model: str
    key: str = field(default="", repr=False)
    deadline_s: float = 60.0
    max_input: int = 8000
    max_tokens: int = 2000


class ChatDiagnoser:
    """Implements ports.Diagnoser. `nonce`: 16 or more characters of chance, each time others. Of `environment` proxies
    and certificates are used."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        clock: Clock,
        nonce: Callable[[], str],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._nonce = nonce
        self._environment = environment or {}

    async def diagnose(self, question: Question) -> Diagnosis:
        """Inside the deadline, whatever the endpoint does. Never raises for that. A cancel closes the connection; what
        was asked may have cost its tokens all the same."""
        messages = messages_of(question, self._nonce(), self._endpoint.max_input)
        sent = sum(len(each["content"]) for each in messages)
        try:
            async with asyncio.timeout(self._endpoint.deadline_s):
                told = await self._told(messages, sent)
        except TimeoutError:
            why = f"no answer within {self._endpoint.deadline_s:g} s, given up"
            told = _Told(problem=why, tokens=(sent // 3 + 1, 0), retry_after_s=RETRY_S)
        return told.of(question, self._endpoint, self._clock.now())

    async def _told(self, messages: tuple[dict[str, str], ...], sent: int) -> _Told:
        try:
            posting = await asyncio.to_thread(import_module, POSTING)  # 0.2 s the first time
        except ImportError:
            hint = "httpx is not installed; install logmedic[llm]"
            return _Told(problem=hint, sent=False)
        try:
            response = await self._post(posting, messages, "max_tokens")
            if response.status == 400 and _OTHER_NAME in response.body:
                response = await self._post(posting, messages, _OTHER_NAME.decode())
        except posting.Unanswered as lost:
            tokens = (sent // 3 + 1, 0) if lost.sent else (0, 0)
            again = RETRY_S if lost.again else None
            return _Told(problem=str(lost), sent=lost.sent, tokens=tokens, retry_after_s=again)
        if response.status != HTTPStatus.OK:
            return self._refused(response.status, response.headers, response.body)
        return _answered(response.body, sent, self._endpoint.key)

    async def _post(self, posting: Any, messages: tuple[dict[str, str], ...], limit: str) -> Any:
        endpoint = self._endpoint
        asked = {"model": endpoint.model, "messages": messages, limit: endpoint.max_tokens, "stream": False}
        body = json.dumps(asked).encode()  # ASCII: lone surrogates of a log become escapes
        url = f"{endpoint.url}/chat/completions"
        return await posting.post(
            url, body, key=endpoint.key, environment=self._environment, timeout_s=endpoint.deadline_s
        )

    def _refused(self, status: int, headers: Mapping[str, str], body: bytes) -> _Told:
        """A redirect too: where it leads may be anybody."""
        try:
            phrase = HTTPStatus(status).phrase
        except ValueError:
            phrase = ""
        word = _word(body, self._endpoint.key)
        passes = status >= 500 or status in _PASSES
        wait = _retry_after(headers.get("retry-after", ""), self._clock.now()) if passes else None
        text = f"HTTP {status} {phrase}{f' ({word})' if word else ''}".strip()
        if 300 <= status < 400:
            text += ": redirects are not followed; write the address itself into diagnosis.url"
        return _Told(problem=text, retry_after_s=wait)


@dataclass(frozen=True, slots=True)
class _Told:
    """What came of asking."""

    problem: str = ""
    content: str | None = None
    sent: bool = True
    tokens: tuple[int, int] = (0, 0)
    retry_after_s: float | None = None

    def of(self, question: Question, endpoint: Endpoint, now: datetime) -> Diagnosis:
        failed = Diagnosis(
            question.issue_id,
            False,
            endpoint.model,
            now,
            tokens_in=self.tokens[0],
            tokens_out=self.tokens[1],
            problem=self.problem,
            sent=self.sent,
            retry_after_s=self.retry_after_s,
        )
        if self.content is None:
            return failed
        answer = answer_of(self.content)
        return replace(
            failed,
            ok=answer.ok,
            likely_cause=answer.likely_cause,
            checks=answer.checks,
            suggested_rule=answer.suggested_rule,
            problem=answer.problem if answer.ok else self.problem or answer.problem,
        )


def _answered(body: bytes, sent: int, key: str) -> _Told:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return _Told(problem="the answer is no JSON", tokens=(sent // 3 + 1, 0))
    usage = answer.get("usage") if isinstance(answer, dict) else None
    choice = _choice(answer)
    content = choice.get("message", {}).get("content") if isinstance(choice.get("message", {}), dict) else None
    if not isinstance(content, str):
        return _Told(problem="the answer has no text (choices[0].message.content)", tokens=tokens_of(usage, sent, 0))
    cut = "the answer was cut off at diagnosis.max_tokens" if choice.get("finish_reason") == "length" else ""
    return _Told(cut, _without_key(content, key), tokens=tokens_of(usage, sent, len(content)))


def _choice(answer: Any) -> dict[str, Any]:
    choices = answer.get("choices") if isinstance(answer, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else {}


def _without_key(text: str, key: str) -> str:
    """An endpoint knows the key, and could repeat it."""
    return text.replace(key, MASK) if len(key) >= 4 else text


def _word(body: bytes, key: str) -> str:
    """The name of an error, such as model_not_found. Its text is not repeated: some quote the key in it."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    error = answer.get("error") if isinstance(answer, dict) else None
    names = [error.get("code"), error.get("type")] if isinstance(error, dict) else []
    words = [each for each in names if isinstance(each, str) and _WORD.match(each)]
    return next((each for each in words if not key or (key not in each and each not in key)), "")


def _retry_after(header: str, now: datetime) -> float:
    """Seconds, from a number or a date."""
    try:
        then = None if header.strip().isdecimal() else parsedate_to_datetime(header)
        seconds = float(header) if then is None else (_aware(then) - now).total_seconds()
    except (ValueError, OverflowError):
        return RETRY_S
    return min(max(seconds, 0.0), RETRY_AFTER_MAX_S)


def _aware(then: datetime) -> datetime:
    return then if then.tzinfo else then.replace(tzinfo=UTC)
