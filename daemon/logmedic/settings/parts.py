"""What the rooms of the config are made of: mappings, durations, sizes, lists."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from logmedic.yamldoc import duration_text, parse_duration, parse_size, size_text


class Part(BaseModel):
    """A mapping of the config: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, serialize_by_alias=True)


def duration_of(value: object) -> object:
    """A number alone would be seconds to one reader and minutes to another."""
    return value if isinstance(value, timedelta) else parse_duration(str(value))


Duration = Annotated[
    timedelta,
    BeforeValidator(duration_of, json_schema_input_type=str),
    PlainSerializer(duration_text, return_type=str),
    Field(gt=timedelta(0)),
]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Words = Annotated[
    tuple[str, ...], BeforeValidator(_listed, json_schema_input_type=str | list[str]), Field(min_length=1)
]


def _size(value: object) -> object:
    return value if isinstance(value, int) and not isinstance(value, bool) else parse_size(str(value))


Size = Annotated[
    int,
    BeforeValidator(_size, json_schema_input_type=str | int),
    PlainSerializer(size_text, return_type=str),
]
