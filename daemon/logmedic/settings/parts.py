"""What the rooms of the config are made of: mappings, durations, sizes, lists."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from logmedic.yamldoc import duration_text, parse_duration, parse_size, size_text

NEVER = "never"


class Part(BaseModel):
    """A mapping of the config: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, serialize_by_alias=True)


def duration_of(value: object) -> object:
    """A number alone would be seconds to one reader and minutes to another."""
    return value if isinstance(value, timedelta) else parse_duration(str(value))


_Written = Annotated[
    timedelta,
    BeforeValidator(duration_of, json_schema_input_type=str),
    PlainSerializer(duration_text, return_type=str),
]
Duration = Annotated[_Written, Field(gt=timedelta(0))]
Delay = Annotated[_Written, Field(ge=timedelta(0))]
"""0s is allowed: at once."""


def _repeat_of(value: object) -> object:
    if isinstance(value, str) and value.strip().lower() == NEVER:
        return timedelta(0)
    found = duration_of(value)
    if isinstance(found, timedelta) and found < timedelta(minutes=1) and not isinstance(value, timedelta):
        raise ValueError(f"`{str(value)[:40]}` is too often; write 1m or more, or {NEVER}")
    return found


def _repeat_text(every: timedelta) -> str:
    return duration_text(every) if every else NEVER


Repeat = Annotated[
    timedelta,
    BeforeValidator(_repeat_of, json_schema_input_type=str),
    PlainSerializer(_repeat_text, return_type=str),
]
"""Zero: never."""


def listed(value: object) -> object:
    """One stands for a list of one."""
    return list(value) if isinstance(value, list | tuple) else [value]


def _worded(value: object) -> object:
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_worded, json_schema_input_type=str | list[str])]
"""One, or a list of them, which may be empty."""
Words = Annotated[Names, Field(min_length=1)]


def _size(value: object) -> object:
    return value if isinstance(value, int) and not isinstance(value, bool) else parse_size(str(value))


Size = Annotated[
    int,
    BeforeValidator(_size, json_schema_input_type=str | int),
    PlainSerializer(size_text, return_type=str),
]
